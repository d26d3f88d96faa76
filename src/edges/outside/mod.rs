//! Files that others put somewhere: never followed, never waited for, not trusted to stand still.
//!
//! Duty: list a folder entry by entry; open what is a plain file and nothing else, whatever stood there a moment ago;
//! read it whole, or say that it changed meanwhile. Every step goes from an open folder to a name in it, and no step
//! follows a link. Not its duty: which files are wanted, what is in them.

mod visit;

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, fstat, openat, statat};
use rustix::io::Errno;

use super::files::{self, FileError, fail};
use crate::domain::Digest;
use crate::domain::hash::Hasher;

pub use visit::{Entry, Kind, Look, Then, visit};

/// Bytes read at once.
const CHUNK: usize = 1 << 18;

/// Which state of which file: two readings under one stamp gave the same bytes. The time of the last change is the
/// kernel's own and cannot be set, so a file that was written to is seen even if its size and times were put back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    pub device: u64,
    pub inode: u64,
    pub bytes: u64,
    /// Last writing, in nanoseconds since 1970; whoever delivers the file may set it.
    pub modified_ns: i64,
    /// Last change of content, name, owner or rights, in nanoseconds since 1970.
    pub changed_ns: i64,
}

/// Why a file is not open.
#[derive(Debug)]
pub enum Refusal {
    Gone,
    /// What stands there instead.
    NotPlain(&'static str),
    Closed(io::Error),
}

/// How reading a whole file ended.
#[derive(Debug)]
pub enum Reading {
    /// Every byte, and the state they belong to.
    Whole(Digest, Stamp),
    /// How it moved under the reader.
    Changing(&'static str),
    NotPlain(&'static str),
    Failed(io::Error),
    /// The reader was asked to stop.
    Stopped,
}

/// Is given the bytes of a file as they are read, and says whether to go on.
pub type Watch<'a> = dyn FnMut(u64) -> bool + 'a;

#[allow(
    clippy::useless_conversion,
    clippy::unnecessary_fallible_conversions,
    reason = "the widths of these fields differ between platforms"
)]
fn stamp(stat: &Stat) -> Stamp {
    let nanoseconds = |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
    Stamp {
        device: u64::try_from(stat.st_dev).unwrap_or(0),
        inode: u64::try_from(stat.st_ino).unwrap_or(0),
        bytes: u64::try_from(stat.st_size).unwrap_or(0),
        modified_ns: nanoseconds(
            i64::try_from(stat.st_mtime).unwrap_or(0),
            i64::try_from(stat.st_mtime_nsec).unwrap_or(0),
        ),
        changed_ns: nanoseconds(
            i64::try_from(stat.st_ctime).unwrap_or(0),
            i64::try_from(stat.st_ctime_nsec).unwrap_or(0),
        ),
    }
}

fn open_root(root: &Path) -> Result<OwnedFd, FileError> {
    // the root itself is named by the operator, and may be reached over links
    File::open(root)
        .map(OwnedFd::from)
        .map_err(fail("open the folder", root))
}

/// Opens a folder below another, part by part.
fn open_folder(mut at: OwnedFd, path: &str, flags: OFlags) -> Result<OwnedFd, Refusal> {
    for part in path.split('/').filter(|p| !p.is_empty()) {
        if matches!(part, "." | "..") {
            return Err(Refusal::NotPlain("a name of '.' or '..'"));
        }
        let flags = flags | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        at = openat(&at, part, flags, Mode::empty()).map_err(|e| match e {
            Errno::NOENT => Refusal::Gone,
            Errno::LOOP | Errno::NOTDIR => Refusal::NotPlain("a link in place of a folder"),
            e => Refusal::Closed(e.into()),
        })?;
    }
    Ok(at)
}

/// The folder of a path and the name in it.
fn folder_and_name(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// A folder that only passes on to what is in it.
fn passage() -> OFlags {
    #[cfg(target_os = "linux")]
    return OFlags::PATH;
    #[cfg(not(target_os = "linux"))]
    OFlags::RDONLY
}

/// The state of a plain file below `root`; `None` when there is none.
pub fn look_at(root: &Path, path: &str) -> Result<Option<Stamp>, FileError> {
    let (folder, name) = folder_and_name(path);
    let Ok(folder) = open_folder(open_root(root)?, folder, passage()) else {
        return Ok(None);
    };
    let stat = statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW);
    Ok(stat
        .ok()
        .filter(|s| FileType::from_raw_mode(s.st_mode) == FileType::RegularFile)
        .map(|s| stamp(&s)))
}

/// An open plain file and the folder it is in.
struct Opened {
    file: File,
    folder: OwnedFd,
    stamp: Stamp,
}

/// Opens a plain file: the opening itself follows no link and waits for nobody, and what came out of it is looked at
/// before a byte is read. A hard link is a plain file: it is the content under another name, and landing keeps a copy.
fn open(root: OwnedFd, path: &str) -> Result<Opened, Refusal> {
    let (folder, name) = folder_and_name(path);
    let folder = open_folder(root, folder, passage())?;
    if matches!(name, "" | "." | "..") {
        return Err(Refusal::NotPlain("a name of '.' or '..'"));
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = openat(&folder, name, flags, Mode::empty()).map_err(|e| match e {
        Errno::NOENT => Refusal::Gone,
        Errno::LOOP => Refusal::NotPlain("a link"),
        Errno::NXIO | Errno::NODEV => Refusal::NotPlain("a socket or a device"),
        e => Refusal::Closed(e.into()),
    })?;
    let stat = fstat(&file).map_err(|e| Refusal::Closed(e.into()))?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Ok(Opened {
            file: File::from(file),
            folder,
            stamp: stamp(&stat),
        }),
        FileType::Directory => Err(Refusal::NotPlain("a folder")),
        _ => Err(Refusal::NotPlain("a pipe, a socket or a device")),
    }
}

/// Hashes a file below `root` that was in the state `expected` when it was listed.
pub fn hash(root: &Path, path: &str, expected: &Stamp, watch: &mut Watch<'_>) -> Result<Reading, FileError> {
    read(root, path, expected, &mut |bytes| Ok(watch(bytes.len() as u64)))
}

/// Copies it to a new name while hashing it, durably: what is kept is read once. Of a copy that is not whole nothing
/// stays. An error is one on the side of the copy.
pub fn copy(root: &Path, path: &str, expected: &Stamp, to: &Path, watch: &mut Watch<'_>) -> Result<Reading, FileError> {
    files::remove_if_there(to)?;
    let mut target = files::create_new(to)?;
    let outcome = read(root, path, expected, &mut |bytes| {
        target.write_all(bytes).map_err(fail("write", to))?;
        Ok(watch(bytes.len() as u64))
    });
    match outcome {
        Ok(Reading::Whole(..)) => files::seal(&target, to)?,
        _ => files::remove_if_there(to)?,
    }
    outcome
}

/// Takes bytes and says whether to go on.
type Take<'a> = dyn FnMut(&[u8]) -> Result<bool, FileError> + 'a;

fn read(root: &Path, path: &str, expected: &Stamp, take: &mut Take<'_>) -> Result<Reading, FileError> {
    let opened = match open(open_root(root)?, path) {
        Ok(opened) => opened,
        Err(Refusal::Gone) => return Ok(Reading::Changing("it is gone")),
        Err(Refusal::NotPlain(what)) => return Ok(Reading::NotPlain(what)),
        Err(Refusal::Closed(e)) => return Ok(Reading::Failed(e)),
    };
    if opened.stamp != *expected {
        return Ok(Reading::Changing("it changed after it was listed"));
    }
    let_the_clock_pass(expected);
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; CHUNK];
    let mut bytes = 0;
    loop {
        match (&opened.file).read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => {
                hasher.raw(&buffer[..n]);
                bytes += n as u64;
                if !take(&buffer[..n])? {
                    return Ok(Reading::Stopped);
                }
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Ok(Reading::Failed(e)),
        }
        // whoever writes faster than this reads would keep it here for ever
        if bytes > expected.bytes {
            return Ok(Reading::Changing("it grew while it was read"));
        }
    }
    Ok(match opened.moved(path) {
        Ok(None) if bytes == expected.bytes => Reading::Whole(hasher.finish(), *expected),
        Ok(None) => Reading::Changing("its length is not what was read"),
        Ok(Some(how)) => Reading::Changing(how),
        Err(e) => Reading::Failed(e.into()),
    })
}

impl Opened {
    /// What has become of the file since it was opened: the open one, and the one that has its name now.
    fn moved(&self, path: &str) -> Result<Option<&'static str>, Errno> {
        if stamp(&fstat(self.file.as_fd())?) != self.stamp {
            return Ok(Some("it was written to while it was read"));
        }
        Ok(
            match statat(&self.folder, folder_and_name(path).1, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(now) if stamp(&now) == self.stamp => None,
                Ok(_) => Some("another file took its name while it was read"),
                Err(Errno::NOENT) => Some("it was removed while it was read"),
                Err(e) => return Err(e),
            },
        )
    }
}

/// Waits until another writing would show in the file's time of change: clocks of file systems tick, and two writings
/// within one tick look like one. Most tick every few milliseconds; some know seconds only.
fn let_the_clock_pass(stamp: &Stamp) {
    const TICK: Duration = Duration::from_millis(20);
    const COARSE_TICK: Duration = Duration::from_secs(2);
    let tick = if stamp.changed_ns % 1_000_000_000 == 0 {
        COARSE_TICK
    } else {
        TICK
    };
    let changed = Duration::from_nanos(u64::try_from(stamp.changed_ns).unwrap_or(0));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // a change in the future is the sign of another clock: no waiting helps
    let wait = now.checked_sub(changed).and_then(|age| tick.checked_sub(age));
    if let Some(wait) = wait {
        std::thread::sleep(wait);
    }
}

#[cfg(test)]
mod tests;
