//! The operations, done by a guest.

use crate::step::{Open, Outcome, SLOTS, Step, Value, Whence};
use rwasm::{Config, Engine, Instance, Linker, Memory, Module, SharedMemory, Store, WasmParams};
use rwasm_wasi::{Access, WasiCtx};
use std::path::Path;
use tempfile::TempDir;

/// Where the list of one buffer lies, and what it names.
const IOVEC: usize = 16;
const DATA: u32 = 1 << 16;
const DATA_LEN: u32 = 1 << 16;

/// Where paths lie.
const PATHS: [u32; 2] = [1024, 2048];

const FD_READ: u64 = 1 << 1;
const FD_SEEK: u64 = 1 << 2;
const FD_WRITE: u64 = 1 << 6;
const FD_READDIR: u64 = 1 << 14;
const FD_FILESTAT_SET_SIZE: u64 = 1 << 22;

const DIRECTORY: u8 = 3;

pub struct Guest {
    folder: TempDir,
    store: Store<WasiCtx>,
    instance: Instance,
    memory: Memory,
    /// That makes the store's memory one that cannot be borrowed.
    _shared: Option<SharedMemory>,
    slots: [Option<i32>; SLOTS],
}

impl Guest {
    /// With a memory of its own, or with one that another thread could have too.
    pub fn new(shared: bool) -> Guest {
        let folder = tempfile::tempdir().expect("a folder");
        let engine = Engine::new(Config::new().threads(true)).expect("an engine");
        let mut text = include_str!("../guests/files.wat").to_owned();
        if shared {
            text = text.replace("\"memory\") 4)", "\"memory\") 4 4 shared)");
            assert!(text.contains("shared"));
        }
        let module = Module::new(&engine, text).expect("valid");
        let mut linker = Linker::new(&engine);
        rwasm_wasi::add_to_linker(&mut linker, |ctx: &mut WasiCtx| ctx).expect("no name twice");
        let mut builder = WasiCtx::builder();
        builder
            .preopened_dir(folder.path(), "/", Access::ReadWrite)
            .expect("it is there");
        let mut store = Store::new(&engine, builder.build().expect("the state"));
        let instance = linker.instantiate(&mut store, &module).expect("linked");
        let memory = instance.get_memory(&mut store, "memory").expect("a memory");
        Guest {
            folder,
            _shared: memory.to_shared(&store),
            store,
            instance,
            memory,
            slots: [None; SLOTS],
        }
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    pub fn run(&mut self, step: &Step) -> Outcome {
        match step {
            Step::Open {
                slot,
                path,
                follow,
                open,
            } => self.open(*slot, path, *follow, *open),
            Step::Close(slot) => {
                let Some(fd) = self.slots[*slot].take() else {
                    return Ok(Value::Closed);
                };
                self.call("close", fd)?;
                Ok(Value::Nothing)
            }
            Step::Read(slot, len) => self.with_file(*slot, |guest, fd| {
                guest.put_iovec(*len);
                guest.call("read", fd)?;
                Ok(guest.data())
            }),
            Step::ReadAt(slot, len, offset) => self.with_file(*slot, |guest, fd| {
                guest.put_iovec(*len);
                guest.call("pread", (fd, *offset as i64))?;
                Ok(guest.data())
            }),
            Step::Write(slot, bytes) => self.with_file(*slot, |guest, fd| {
                let bytes = bytes.bytes();
                guest.put(DATA, &bytes);
                guest.put_iovec(bytes.len() as u32);
                guest.call("write", fd)?;
                Ok(Value::Number(guest.u32(0).into()))
            }),
            Step::WriteAt(slot, bytes, offset) => self.with_file(*slot, |guest, fd| {
                let bytes = bytes.bytes();
                guest.put(DATA, &bytes);
                guest.put_iovec(bytes.len() as u32);
                guest.call("pwrite", (fd, *offset as i64))?;
                Ok(Value::Number(guest.u32(0).into()))
            }),
            Step::Seek(slot, offset, whence) => self.with_file(*slot, |guest, fd| {
                let whence = match whence {
                    Whence::Set => 0,
                    Whence::Cur => 1,
                    Whence::End => 2,
                };
                guest.call("seek", (fd, *offset, whence))?;
                Ok(Value::Number(guest.u64(0)))
            }),
            Step::SetSize(slot, size) => self.with_file(*slot, |guest, fd| {
                guest.call("set_size", (fd, *size as i64))?;
                Ok(Value::Nothing)
            }),
            Step::CreateDirectory(path) => self.with_path("create_directory", path),
            Step::RemoveDirectory(path) => self.with_path("remove_directory", path),
            Step::Unlink(path) => self.with_path("unlink_file", path),
            Step::Symlink(target, path) => self.with_paths("symlink", target, path),
            Step::Link(old, new) => self.with_paths("link", old, new),
            Step::Rename(old, new) => self.with_paths("rename", old, new),
            Step::ReadLink(path) => {
                let (ptr, len) = self.put_path(0, path);
                self.call("readlink", (ptr, len, DATA as i32, DATA_LEN as i32))?;
                Ok(self.data())
            }
            Step::Stat(path, follow) => {
                let (ptr, len) = self.put_path(0, path);
                self.call("stat", (i32::from(*follow), ptr, len))?;
                let file_type = self.bytes(16, 1)[0];
                let (links, size) = (self.u64(24), self.u64(32));
                Ok(match file_type {
                    DIRECTORY => Value::Stat(file_type, 0, 0),
                    _ => Value::Stat(file_type, links, size),
                })
            }
            Step::List(path) => self.list(path),
        }
    }

    fn open(&mut self, slot: usize, path: &str, follow: bool, open: Open) -> Outcome {
        if let Some(fd) = self.slots[slot].take() {
            self.call("close", fd)?;
        }
        let (ptr, len) = self.put_path(0, path);
        let oflags = i32::from(open.create)
            | i32::from(open.directory) << 1
            | i32::from(open.exclusive) << 2
            | i32::from(open.truncate) << 3;
        let mut rights = FD_SEEK;
        if open.read {
            rights |= FD_READ;
        }
        if open.write {
            rights |= FD_WRITE | FD_FILESTAT_SET_SIZE;
        }
        let follow = i32::from(follow);
        let append = i32::from(open.append);
        self.call("open", (follow, ptr, len, oflags, rights as i64, append))?;
        let fd = self.u32(0) as i32;
        // A directory can be opened, and nothing else is done with it here.
        self.put_iovec(0);
        if self.call("read", fd) == Err(rwasm_wasi::Errno::Isdir as u16) {
            self.call("close", fd)?;
            return Ok(Value::Number(DIRECTORY.into()));
        }
        self.slots[slot] = Some(fd);
        Ok(Value::Nothing)
    }

    fn list(&mut self, path: &str) -> Outcome {
        let (ptr, len) = self.put_path(0, path);
        let directory = 2;
        self.call("open", (1, ptr, len, directory, FD_READDIR as i64, 0))?;
        let fd = self.u32(0) as i32;
        self.call("readdir", (fd, DATA as i32, DATA_LEN as i32))?;
        let used = self.u32(0);
        let mut names = Vec::new();
        let mut at = DATA;
        while at < DATA + used {
            let len = u32::from_le_bytes(self.bytes(at + 16, 4).try_into().expect("4 bytes"));
            let file_type = self.bytes(at + 20, 1)[0];
            names.push((self.bytes(at + 24, len), file_type));
            at += 24 + len;
        }
        self.call("close", fd)?;
        names.sort();
        Ok(Value::Names(names))
    }

    fn with_file(
        &mut self,
        slot: usize,
        action: impl FnOnce(&mut Guest, i32) -> Outcome,
    ) -> Outcome {
        match self.slots[slot] {
            Some(fd) => action(self, fd),
            None => Ok(Value::Closed),
        }
    }

    fn with_path(&mut self, function: &str, path: &str) -> Outcome {
        let path = self.put_path(0, path);
        self.call(function, path)?;
        Ok(Value::Nothing)
    }

    fn with_paths(&mut self, function: &str, old: &str, new: &str) -> Outcome {
        let (old, old_len) = self.put_path(0, old);
        let (new, new_len) = self.put_path(1, new);
        self.call(function, (old, old_len, new, new_len))?;
        Ok(Value::Nothing)
    }

    fn call(&mut self, function: &str, params: impl WasmParams) -> Result<(), u16> {
        let function = self
            .instance
            .get_typed_func::<_, i32>(&mut self.store, function);
        let function = function.expect("it is there");
        match function.call(&mut self.store, params).expect("no trap") {
            0 => Ok(()),
            errno => Err(errno as u16),
        }
    }

    fn put_path(&mut self, index: usize, path: &str) -> (i32, i32) {
        self.put(PATHS[index], path.as_bytes());
        (PATHS[index] as i32, path.len() as i32)
    }

    fn put_iovec(&mut self, len: u32) {
        self.put(IOVEC as u32, &DATA.to_le_bytes());
        self.put(IOVEC as u32 + 4, &len.to_le_bytes());
    }

    fn put(&mut self, at: u32, bytes: &[u8]) {
        let written = self.memory.write(&mut self.store, at as usize, bytes);
        written.expect("in the memory");
    }

    fn bytes(&self, at: u32, len: u32) -> Vec<u8> {
        let mut bytes = vec![0; len as usize];
        let read = self.memory.read(&self.store, at as usize, &mut bytes);
        read.expect("in the memory");
        bytes
    }

    /// As many bytes of the data as the result says.
    fn data(&self) -> Value {
        Value::Bytes(self.bytes(DATA, self.u32(0)))
    }

    fn u32(&self, at: u32) -> u32 {
        u32::from_le_bytes(self.bytes(at, 4).try_into().expect("4 bytes"))
    }

    fn u64(&self, at: u32) -> u64 {
        u64::from_le_bytes(self.bytes(at, 8).try_into().expect("8 bytes"))
    }
}
