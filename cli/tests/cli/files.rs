//! `--dir`: what the guest sees of the host's files.

use crate::harness::{Case, Folder, run};

/// Reports WT#2902, WT#7695 and WT#8552: what `--dir` means.
#[test]
fn wt_2902_a_folder_is_seen_under_the_name_it_was_given() {
    let folder = Folder::new().with("data/in.txt", "inside\n");
    folder.check(&[
        Case::new("prestat.wat"),
        Case::new("--dir data prestat.wat").stdout("data\n"),
        Case::new("--dir data::/srv prestat.wat").stdout("/srv\n"),
        Case::new("--dir data::/a --dir .::/b prestat.wat").stdout("/a\n/b\n"),
        Case::new("--dir data cat.wat").stdout("inside\n"),
        Case::new("--dir data::/srv cat.wat").stdout("inside\n"),
        Case::new("--dir data:ro cat.wat").stdout("inside\n"),
    ]);
}

/// Report WT#9695: nothing is there that was not named, not even the folder
/// that the program is started in.
#[test]
fn wt_9695_without_dir_there_are_no_files() {
    let folder = Folder::new().with("in.txt", "secret\n");
    folder.check(&[Case::new("cat.wat").code(8), Case::new("touch.wat").code(8)]);
}

/// Reports WT#5974, WT#9608 and WR#5575: folders for reading only.
#[test]
fn wt_5974_a_read_only_folder_stays_as_it_is() {
    let folder = Folder::new().with("in.txt", "text\n");
    folder.check(&[Case::new("--dir .:ro cat.wat").stdout("text\n")]);
    for args in ["--dir .:ro touch.wat", "--dir .::/srv:ro touch.wat"] {
        let ended = run(&mut folder.rwasm(args), b"");
        assert_ne!(ended.code, 0, "{args}");
        assert!(!folder.path("out.txt").exists(), "{args}");
    }
    folder.check(&[Case::new("--dir . touch.wat")]);
    assert!(folder.path("out.txt").exists());
}

#[test]
fn a_folder_that_cannot_be_opened_is_told() {
    Folder::new().check(&[
        Case::new("--dir missing exit.wat").code(1).stderr(&[
            "rwasm: the folder missing",
            "does not exist",
            "--dir",
        ]),
        Case::new("--dir exit.wat exit.wat")
            .code(1)
            .stderr(&["exit.wat is no folder"]),
    ]);
}

#[test]
fn no_path_leads_outside() {
    let folder = Folder::new().with("data/x", "");
    folder.check(&[
        Case::new("--dir data escape.wat"),
        Case::new("--dir data:ro escape.wat"),
    ]);
}

#[test]
fn standard_streams_can_be_files() {
    let folder = Folder::new()
        .with("in.txt", "text\n")
        .with("old.txt", "much longer than that\n");
    folder.check(&[
        Case::new("--stdin in.txt echo-stdin.wat")
            .stdin("other")
            .stdout("text\n"),
        Case::new("--stdin null echo-stdin.wat").stdin("other"),
        Case::new("--stdin inherit echo-stdin.wat")
            .stdin("other")
            .stdout("other"),
        Case::new("--stdin in.txt --stdout old.txt echo-stdin.wat"),
        Case::new("--stdout null args.wat"),
        Case::new("--stdin missing args.wat")
            .code(1)
            .stderr(&["missing cannot be opened"]),
        Case::new("--stdout no/where args.wat")
            .code(1)
            .stderr(&["for --stdout"]),
    ]);
    assert_eq!(
        std::fs::read_to_string(folder.path("old.txt")).unwrap(),
        "text\n"
    );
}

/// With `-v`, a refused path is named, and so is the flag that would grant it.
#[test]
fn verbose_names_refused_paths() {
    const NOTCAPABLE: i32 = 76;
    const ROFS: i32 = 69;
    let folder = Folder::new()
        .with("data/in.txt", "inside\n")
        .with("secret/file", "secret\n");
    let link = folder.path("data/link");
    std::os::unix::fs::symlink("../secret", link).unwrap();
    let secret = folder.path("secret");
    let parent = folder.path("");
    let shown = |path: &std::path::Path| path.to_str().unwrap().trim_end_matches('/').to_owned();
    for (args, code, expected) in [
        (
            "-v --dir data open.wat ../secret/file",
            NOTCAPABLE,
            format!(
                "refused ../secret/file in data, which leads outside; --dir {} would",
                shown(&secret)
            ),
        ),
        (
            "-v --dir data::/ open.wat ../x",
            NOTCAPABLE,
            format!(
                "refused ../x in /, which leads outside; --dir {} would",
                shown(&parent)
            ),
        ),
        (
            "-v --dir data::/ open.wat /etc/passwd",
            NOTCAPABLE,
            "--dir /etc would".into(),
        ),
        (
            "-v --dir data open.wat link/file",
            NOTCAPABLE,
            "link/file in data, which leads outside; --dir with the folder that it leads to".into(),
        ),
        (
            "-v --dir data::/d:ro open.wat new",
            ROFS,
            "may not change new in /d; --dir data::/d without `:ro` would".into(),
        ),
        (
            "-v open.wat in.txt",
            8,
            "the guest sees no folder; --dir grants one".into(),
        ),
    ] {
        let ended = run(&mut folder.rwasm(args), b"");
        assert_eq!(ended.code, code, "{args}\n{}", ended.stderr);
        assert!(ended.stderr.contains(&expected), "{args}\n{}", ended.stderr);
    }
    let quiet = run(&mut folder.rwasm("--dir data open.wat ../secret/file"), b"");
    assert_eq!((quiet.code, quiet.stderr.as_str()), (NOTCAPABLE, ""));
    let fine = run(&mut folder.rwasm("-v --dir data open.wat in.txt"), b"");
    assert!(!fine.stderr.contains("refused"), "{}", fine.stderr);
    assert_eq!(fine.code, 0);
}
