;; Calls the functions on files, each with numbers that the caller gives. Buffers
;; are lists of one, at 16; results are at 0.
(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_create_directory"
    (func $path_create_directory (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_remove_directory"
    (func $path_remove_directory (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_unlink_file"
    (func $path_unlink_file (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_symlink"
    (func $path_symlink (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_link"
    (func $path_link (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_rename"
    (func $path_rename (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_readlink"
    (func $path_readlink (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_filestat_get"
    (func $path_filestat_get (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_pread"
    (func $fd_pread (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_pwrite"
    (func $fd_pwrite (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read"
    (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_seek"
    (func $fd_seek (param i32 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_filestat_set_size"
    (func $fd_filestat_set_size (param i32 i64) (result i32)))
  (import "wasi_snapshot_preview1" "fd_readdir"
    (func $fd_readdir (param i32 i32 i32 i64 i32) (result i32)))
  (memory (export "memory") 4)

  (func (export "open") (param $follow i32) (param $path i32) (param $len i32)
      (param $oflags i32) (param $rights i64) (param $fdflags i32) (result i32)
    (call $path_open (i32.const 3) (local.get $follow) (local.get $path) (local.get $len)
      (local.get $oflags) (local.get $rights) (i64.const 0) (local.get $fdflags) (i32.const 0)))
  (func (export "create_directory") (param i32 i32) (result i32)
    (call $path_create_directory (i32.const 3) (local.get 0) (local.get 1)))
  (func (export "remove_directory") (param i32 i32) (result i32)
    (call $path_remove_directory (i32.const 3) (local.get 0) (local.get 1)))
  (func (export "unlink_file") (param i32 i32) (result i32)
    (call $path_unlink_file (i32.const 3) (local.get 0) (local.get 1)))
  (func (export "symlink") (param i32 i32 i32 i32) (result i32)
    (call $path_symlink (local.get 0) (local.get 1) (i32.const 3) (local.get 2) (local.get 3)))
  (func (export "link") (param i32 i32 i32 i32) (result i32)
    (call $path_link (i32.const 3) (i32.const 0) (local.get 0) (local.get 1)
      (i32.const 3) (local.get 2) (local.get 3)))
  (func (export "rename") (param i32 i32 i32 i32) (result i32)
    (call $path_rename (i32.const 3) (local.get 0) (local.get 1)
      (i32.const 3) (local.get 2) (local.get 3)))
  (func (export "readlink") (param i32 i32 i32 i32) (result i32)
    (call $path_readlink (i32.const 3) (local.get 0) (local.get 1)
      (local.get 2) (local.get 3) (i32.const 0)))
  (func (export "stat") (param $follow i32) (param i32 i32) (result i32)
    (call $path_filestat_get (i32.const 3) (local.get $follow)
      (local.get 1) (local.get 2) (i32.const 0)))
  (func (export "close") (param i32) (result i32) (call $fd_close (local.get 0)))
  (func (export "pread") (param i32 i64) (result i32)
    (call $fd_pread (local.get 0) (i32.const 16) (i32.const 1) (local.get 1) (i32.const 0)))
  (func (export "pwrite") (param i32 i64) (result i32)
    (call $fd_pwrite (local.get 0) (i32.const 16) (i32.const 1) (local.get 1) (i32.const 0)))
  (func (export "read") (param i32) (result i32)
    (call $fd_read (local.get 0) (i32.const 16) (i32.const 1) (i32.const 0)))
  (func (export "write") (param i32) (result i32)
    (call $fd_write (local.get 0) (i32.const 16) (i32.const 1) (i32.const 0)))
  (func (export "seek") (param i32 i64 i32) (result i32)
    (call $fd_seek (local.get 0) (local.get 1) (local.get 2) (i32.const 0)))
  (func (export "set_size") (param i32 i64) (result i32)
    (call $fd_filestat_set_size (local.get 0) (local.get 1)))
  (func (export "readdir") (param i32 i32 i32) (result i32)
    (call $fd_readdir (local.get 0) (local.get 1) (local.get 2) (i64.const 0) (i32.const 0))))
