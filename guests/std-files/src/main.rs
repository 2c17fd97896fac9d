//! What Rust's standard library asks of a system, call by call, inside the
//! empty folder given as the first argument. Prints each step that is right;
//! the first that is wrong ends the program with a panic. The exit code is the
//! second argument.

use std::env;
use std::fs::{self, File, FileTimes, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::process;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The code of WASI for a directory that is not empty.
const NOTEMPTY: i32 = 55;

fn main() {
    let args: Vec<String> = env::args().collect();
    let [_, folder, code] = &args[..] else {
        eprintln!("usage: std-files FOLDER CODE");
        process::exit(2);
    };
    let folder = Path::new(folder);
    let steps: [(&str, fn(&Path)); 9] = [
        ("variables", variables),
        ("clocks", clocks),
        ("files", files),
        ("directories", directories),
        ("metadata", metadata),
        ("times", times),
        ("links", links),
        ("errors", errors),
        ("outside", outside),
    ];
    for (name, step) in steps {
        step(folder);
        println!("{name}");
    }
    process::exit(code.parse().expect("a number"));
}

fn variables(_: &Path) {
    assert_eq!(env::var("GIVEN").as_deref(), Ok("a value"));
    assert_eq!(env::vars().count(), 1, "nothing else is inherited");
    assert!(env::var("HOME").is_err());
}

fn clocks(_: &Path) {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    assert!(since > Duration::from_secs(1_600_000_000));
    let start = Instant::now();
    thread::sleep(Duration::from_millis(20));
    assert!(start.elapsed() >= Duration::from_millis(20));
}

fn files(folder: &Path) {
    let path = folder.join("file");
    fs::write(&path, "0123456789").expect("written");
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(&path)
        .expect("opened");
    file.seek(SeekFrom::Start(4)).expect("moved");
    file.write_all(b"abc").expect("written");
    assert_eq!(file.stream_position().expect("told"), 7);
    file.set_len(8).expect("cut");
    file.sync_all().expect("synchronised");
    file.rewind().expect("moved");
    let mut text = String::new();
    file.read_to_string(&mut text).expect("read");
    assert_eq!(text, "0123abc7");
    let mut log = OpenOptions::new().append(true).open(&path).expect("opened");
    log.write_all(b"!").expect("appended");
    assert_eq!(fs::read_to_string(&path).expect("read"), "0123abc7!");
    assert_eq!(fs::copy(&path, folder.join("copy")).expect("copied"), 9);
    fs::rename(folder.join("copy"), &path).expect("replaced");
    assert!(!folder.join("copy").exists() && path.is_file());
}

fn directories(folder: &Path) {
    let deep = folder.join("a/b/c");
    fs::create_dir_all(&deep).expect("made");
    for index in 0..300 {
        fs::write(deep.join(format!("entry-{index:03}")), "").expect("written");
    }
    let mut names: Vec<_> = fs::read_dir(&deep)
        .expect("listed")
        .map(|entry| {
            let entry = entry.expect("an entry");
            assert!(entry.file_type().expect("a type").is_file());
            entry.file_name().into_string().expect("a name")
        })
        .collect();
    names.sort();
    assert_eq!(names.len(), 300);
    assert_eq!(names[299], "entry-299");
    // Removing while listing, as `remove_dir_all` does.
    fs::remove_dir_all(folder.join("a")).expect("removed");
    assert!(!folder.join("a").exists());
}

fn metadata(folder: &Path) {
    let file = fs::metadata(folder.join("file")).expect("there");
    assert!(file.is_file() && file.len() == 9);
    let dir = fs::metadata(folder).expect("there");
    assert!(dir.is_dir());
    let now = SystemTime::now();
    let age = now
        .duration_since(file.modified().expect("a time"))
        .expect("in the past");
    assert!(age < Duration::from_secs(600));
    assert!(file.accessed().is_ok());
}

fn times(folder: &Path) {
    let path = folder.join("file");
    let (accessed, modified) = (
        UNIX_EPOCH + Duration::new(1_000_000_000, 123_456_789),
        UNIX_EPOCH + Duration::from_secs(5),
    );
    let file = File::options().write(true).open(&path).expect("opened");
    let times = FileTimes::new()
        .set_accessed(accessed)
        .set_modified(modified);
    file.set_times(times).expect("set");
    let found = fs::metadata(&path).expect("there");
    assert_eq!(found.accessed().expect("a time"), accessed);
    assert_eq!(found.modified().expect("a time"), modified);
}

fn links(folder: &Path) {
    let (path, hard) = (folder.join("file"), folder.join("hard"));
    fs::hard_link(&path, &hard).expect("linked");
    fs::write(&hard, "by another name").expect("written");
    assert_eq!(fs::read_to_string(&path).expect("read"), "by another name");
    fs::remove_file(&hard).expect("removed");
    assert!(path.exists());
    let link = fs::read_link(folder.join("link-of-the-host")).expect("a link");
    assert_eq!(link, Path::new("file"));
    let link = folder.join("link-of-the-host");
    assert_eq!(
        fs::read_to_string(&link).expect("followed"),
        "by another name"
    );
    assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
    assert!(fs::metadata(&link).expect("there").is_file());
}

fn errors(folder: &Path) {
    let kind = |result: std::io::Result<()>| result.expect_err("it is wrong").kind();
    let (file, missing) = (folder.join("file"), folder.join("missing"));
    assert_eq!(kind(fs::remove_file(&missing)), ErrorKind::NotFound);
    assert_eq!(kind(fs::create_dir(&file)), ErrorKind::AlreadyExists);
    assert_eq!(kind(fs::create_dir(folder)), ErrorKind::AlreadyExists);
    assert_eq!(kind(fs::remove_dir(&file)), ErrorKind::NotADirectory);
    assert_eq!(
        kind(File::open(file.join("x")).map(drop)),
        ErrorKind::NotADirectory
    );
    assert_eq!(kind(fs::write(folder, "")), ErrorKind::IsADirectory);
    fs::create_dir(folder.join("full")).expect("made");
    fs::write(folder.join("full/file"), "").expect("written");
    // The library has no kind for this code.
    let error = fs::remove_dir(folder.join("full")).expect_err("it is full");
    assert_eq!(error.raw_os_error(), Some(NOTEMPTY));
    let again = OpenOptions::new().write(true).create_new(true).open(&file);
    assert_eq!(kind(again.map(drop)), ErrorKind::AlreadyExists);
    fs::remove_dir_all(folder.join("full")).expect("removed");
}

fn outside(folder: &Path) {
    for path in ["..", "../..", "../x", "../../etc/passwd"] {
        assert!(fs::metadata(folder.join(path)).is_err(), "{path}");
        assert!(fs::write(folder.join(path), "").is_err(), "{path}");
    }
    assert!(fs::metadata("/etc/passwd").is_err());
    assert!(fs::read_dir("/").is_err());
}
