//! Files that move under the reader, and what is no file.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, symlink};
use std::os::unix::net::UnixListener;
use std::time::Instant;

use rustix::fs::{CWD, mknodat};
use tempfile::TempDir;

use super::*;

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn pipe(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o644), 0).expect("a pipe");
}

fn listed(root: &Path, base: &str) -> Vec<String> {
    let mut out = Vec::new();
    visit(root, base, &mut |entry| {
        let kind = match entry.kind {
            Kind::File(_) => "file",
            Kind::Folder => "folder",
            Kind::Link { to_folder: true } => "link to a folder",
            Kind::Link { to_folder: false } => "link",
            Kind::Special => "special",
            Kind::TooDeep => "too deep",
            Kind::Closed(_) => "closed",
        };
        out.push(format!("{} {kind}", entry.shown));
        if kind == "folder" { Then::Enter } else { Then::Next }
    })
    .expect("a listing");
    out.sort();
    out
}

/// Reads a file that was listed as it is now, doing something after the first bytes.
fn read_while(root: &Path, path: &str, act: &mut dyn FnMut()) -> Reading {
    let expected = look_at(root, path).expect("looked at").expect("a file");
    let mut acted = false;
    hash(root, path, &expected, &mut |_| {
        if !std::mem::replace(&mut acted, true) {
            act();
        }
        true
    })
    .expect("no trouble on this side")
}

fn changing(reading: &Reading) -> &'static str {
    match reading {
        Reading::Changing(how) => how,
        other => panic!("{other:?}"),
    }
}

#[test]
fn everything_is_listed_for_what_it_is_and_links_are_not_entered() {
    let (inbox, elsewhere) = (folder(), folder());
    let root = inbox.path();
    fs::create_dir_all(root.join("in/sub")).expect("folders");
    fs::write(root.join("in/sub/a.csv"), b"a").expect("a file");
    fs::write(root.join("in/a\u{202E}b\n.csv"), b"a").expect("a file");
    fs::write(root.join("in").join(OsStr::from_bytes(b"b\xff.csv")), b"b").expect("a file");
    fs::write(elsewhere.path().join("secret.csv"), b"s").expect("a file");
    symlink(elsewhere.path(), root.join("in/linked")).expect("a link");
    symlink("sub/a.csv", root.join("in/link.csv")).expect("a link");
    pipe(&root.join("in/pipe.csv"));
    let _socket = UnixListener::bind(root.join("in/socket")).expect("a socket");
    assert_eq!(
        listed(root, "in"),
        [
            "in/a\\u{202e}b\\n.csv file",
            "in/b\\xff.csv file",
            "in/link.csv link",
            "in/linked link to a folder",
            "in/pipe.csv special",
            "in/socket special",
            "in/sub folder",
            "in/sub/a.csv file",
        ]
    );
    assert_eq!(listed(root, "in/linked"), ["in/linked link to a folder"]);
    assert_eq!(listed(root, "nowhere"), Vec::<String>::new());
}

#[test]
fn only_a_plain_file_is_opened_and_nothing_is_waited_for() {
    let (inbox, elsewhere) = (folder(), folder());
    let root = inbox.path();
    fs::create_dir(root.join("in")).expect("a folder");
    fs::write(elsewhere.path().join("secret.csv"), b"secret").expect("a file");
    symlink(elsewhere.path(), root.join("linked")).expect("a link");
    symlink(elsewhere.path().join("secret.csv"), root.join("in/link.csv")).expect("a link");
    pipe(&root.join("in/pipe.csv"));
    let _socket = UnixListener::bind(root.join("in/socket")).expect("a socket");
    let begun = Instant::now();
    let refused = |path: &str| {
        let root = open_root(root).expect("the root");
        match open(root, path) {
            Err(Refusal::NotPlain(what)) => what,
            Err(other) => panic!("{path}: {other:?}"),
            Ok(_) => panic!("{path} was opened"),
        }
    };
    assert_eq!(refused("in/link.csv"), "a link");
    assert_eq!(refused("in/pipe.csv"), "a pipe, a socket or a device");
    assert_eq!(refused("in/socket"), "a socket or a device");
    assert_eq!(refused("linked/secret.csv"), "a link in place of a folder");
    assert_eq!(refused("in/../in/x"), "a name of '.' or '..'");
    assert_eq!(refused("in/.."), "a name of '.' or '..'");
    assert_eq!(refused("in"), "a folder");
    assert!(begun.elapsed() < Duration::from_secs(2));
    // a hard link is a plain file
    fs::hard_link(elsewhere.path().join("secret.csv"), root.join("in/hard.csv")).expect("a hard link");
    assert!(open(open_root(root).expect("the root"), "in/hard.csv").is_ok());
}

#[test]
fn a_file_that_moves_while_it_is_read_is_not_whole() {
    let inbox = folder();
    let root = inbox.path();
    let path = root.join("a.csv");
    let fill = || fs::write(&path, vec![b'x'; 3 * CHUNK]).expect("a file");
    let open = || fs::OpenOptions::new().write(true).open(&path).expect("the file");
    fill();
    let whole = read_while(root, "a.csv", &mut || {});
    assert!(matches!(whole, Reading::Whole(hash, _) if hash == Digest::of(&vec![b'x'; 3 * CHUNK])));

    let grown = read_while(root, "a.csv", &mut || {
        open().write_all_at(b"y", 3 * CHUNK as u64).expect("written");
    });
    assert_eq!(changing(&grown), "it grew while it was read");
    fill();
    let cut = read_while(root, "a.csv", &mut || open().set_len(10).expect("cut"));
    assert_eq!(changing(&cut), "it was written to while it was read");
    // same length, behind what was read already, and the time of writing put back
    fill();
    let modified = fs::metadata(&path).expect("metadata").modified().expect("a time");
    let behind = read_while(root, "a.csv", &mut || {
        open().write_all_at(b"y", 0).expect("written");
        open().set_modified(modified).expect("put back");
    });
    assert_eq!(changing(&behind), "it was written to while it was read");
    let gone = read_while(root, "a.csv", &mut || fs::remove_file(&path).expect("it goes"));
    assert!(changing(&gone).starts_with("it was"), "{gone:?}");
    fill();
    let swapped = read_while(root, "a.csv", &mut || {
        fs::write(root.join("new"), b"z").expect("another");
        fs::rename(root.join("new"), &path).expect("swapped");
    });
    assert!(matches!(swapped, Reading::Changing(_)), "{swapped:?}");
    // between the listing and the opening
    let before = look_at(root, "a.csv").expect("looked at").expect("a file");
    fill();
    let later = hash(root, "a.csv", &before, &mut |_| true).expect("no trouble");
    assert_eq!(changing(&later), "it changed after it was listed");
    fs::remove_file(&path).expect("it goes");
    pipe(&path);
    let piped = hash(root, "a.csv", &before, &mut |_| true).expect("no trouble");
    assert!(matches!(piped, Reading::NotPlain(_)), "{piped:?}");
}

#[test]
fn a_copy_that_is_not_whole_leaves_nothing() {
    let inbox = folder();
    let root = inbox.path();
    fs::write(root.join("a.csv"), b"content").expect("a file");
    let expected = look_at(root, "a.csv").expect("looked at").expect("a file");
    let to = root.join("copy");
    let stopped = copy(root, "a.csv", &expected, &to, &mut |_| false).expect("no trouble");
    assert!(matches!(stopped, Reading::Stopped) && !to.exists());
    let whole = copy(root, "a.csv", &expected, &to, &mut |_| true).expect("no trouble");
    assert!(matches!(whole, Reading::Whole(hash, _) if hash == Digest::of(b"content")));
    assert_eq!(fs::read(&to).expect("the copy"), b"content");
}
