//! Listing folders that others write into.
//!
//! Duty: every entry for what it is, one at a time, from open folder to open folder. Not its duty: opening files.

use std::ffi::CStr;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, openat, statat};
use rustix::io::Errno;

use super::{FileError, Refusal, Stamp, open_folder, open_root, stamp};

/// Deepest folder that is listed, counted from where the listing starts: each level keeps a folder open.
const MAX_DEPTH: usize = 32;

/// What an entry of a folder is.
#[derive(Debug)]
pub enum Kind {
    File(Stamp),
    Folder,
    /// Whether it leads to a folder now; it is not followed.
    Link {
        to_folder: bool,
    },
    /// A pipe, a socket or a device.
    Special,
    /// A folder below the deepest one that is listed.
    TooDeep,
    /// It cannot be looked at.
    Closed(io::Error),
}

/// An entry as it is found.
#[derive(Debug)]
pub struct Entry<'a> {
    /// Relative to the root, with `/`; in a name that is not UTF-8 what is not stands as U+FFFD.
    pub path: &'a str,
    /// The path for people, with nothing in it that a terminal acts on.
    pub shown: String,
    pub kind: Kind,
}

/// What to do after an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    Next,
    /// Look into the folder.
    Enter,
    Stop,
}

/// Is shown the entries of a folder.
pub type Look<'a> = dyn FnMut(Entry<'_>) -> Then + 'a;

/// Escapes what a terminal would act on.
fn shown(path: &str) -> String {
    path.escape_debug().to_string()
}

/// Shows what lies under `base`, a path below `root`, in the order the folders give it; the memory it needs does not
/// grow with the number of entries. A base that is not there shows nothing.
pub fn visit(root: &Path, base: &str, look: &mut Look<'_>) -> Result<(), FileError> {
    let closed = |kind| Entry {
        path: base,
        shown: shown(base),
        kind,
    };
    let at = open_root(root)?;
    let folder = match open_folder(at, base, OFlags::RDONLY) {
        Ok(folder) => folder,
        Err(Refusal::Gone) => return Ok(()),
        Err(Refusal::NotPlain(_)) => {
            look(closed(Kind::Link { to_folder: true }));
            return Ok(());
        }
        Err(Refusal::Closed(e)) => {
            look(closed(Kind::Closed(e)));
            return Ok(());
        }
    };
    visit_folder(folder, base, 0, look);
    Ok(())
}

fn visit_folder(folder: OwnedFd, path: &str, depth: usize, look: &mut Look<'_>) -> Then {
    let broken = |e: Errno| Entry {
        path,
        shown: shown(path),
        kind: Kind::Closed(e.into()),
    };
    let mut dir = match Dir::new(folder) {
        Ok(dir) => dir,
        Err(e) => return look(broken(e)),
    };
    while let Some(entry) = dir.read() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(e) => return look(broken(e)),
        };
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let Ok(at) = dir.fd() else { continue };
        let Some(mut kind) = kind_of(at, name) else { continue };
        if matches!(kind, Kind::Folder) && depth + 1 >= MAX_DEPTH {
            kind = Kind::TooDeep;
        }
        let below = |name: &str| {
            if path.is_empty() {
                name.to_owned()
            } else {
                format!("{path}/{name}")
            }
        };
        let label = below(&name.to_string_lossy());
        let shown = match name.to_str() {
            Ok(_) => shown(&label),
            Err(_) => below(&name.to_bytes().escape_ascii().to_string()),
        };
        let seen = Entry {
            path: &label,
            shown: shown.clone(),
            kind,
        };
        match look(seen) {
            Then::Next => {}
            Then::Stop => return Then::Stop,
            Then::Enter => {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                let kind = match openat(at, name, flags, Mode::empty()) {
                    Ok(inner) => {
                        if visit_folder(inner, &label, depth + 1, look) == Then::Stop {
                            return Then::Stop;
                        }
                        continue;
                    }
                    // it was removed, or swapped for something else, since its name was read
                    Err(Errno::NOENT) => continue,
                    Err(Errno::LOOP | Errno::NOTDIR) => Kind::Link { to_folder: true },
                    Err(e) => Kind::Closed(e.into()),
                };
                look(Entry {
                    path: &label,
                    shown,
                    kind,
                });
            }
        }
    }
    Then::Next
}

/// What a name in a folder stands for; `None` when it is gone.
fn kind_of(at: BorrowedFd<'_>, name: &CStr) -> Option<Kind> {
    let stat = match statat(at, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => stat,
        Err(Errno::NOENT) => return None,
        Err(e) => return Some(Kind::Closed(e.into())),
    };
    Some(match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Kind::File(stamp(&stat)),
        FileType::Directory => Kind::Folder,
        FileType::Symlink => Kind::Link {
            to_folder: statat(at, name, AtFlags::empty())
                .is_ok_and(|s| FileType::from_raw_mode(s.st_mode) == FileType::Directory),
        },
        _ => Kind::Special,
    })
}
