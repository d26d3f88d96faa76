//! Files, durably.
//!
//! Duty: writes that are either there or not, directory syncs, hard links, hashes; every error names its path. A
//! failed fsync is an error and the file is abandoned: it is never tried again on the same file. Not its duty: what
//! is in the files.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::domain::hash::Hasher;
use crate::domain::{Digest, Instant};

/// A storage error: what was being done, to which path.
#[derive(Debug, Error)]
#[error("cannot {action} {}", path.display())]
pub struct FileError {
    pub action: &'static str,
    pub path: PathBuf,
    #[source]
    pub source: io::Error,
}

pub(super) fn fail(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
    let path = path.to_owned();
    move |source| FileError { action, path, source }
}

/// Makes a folder and those above it that are missing; durable when it returns.
pub fn create_dir_all(path: &Path) -> Result<(), FileError> {
    create_dirs(path, 0o777)
}

/// The same for a folder that only its owner may look into. One that is there keeps the mode it has.
pub fn create_private_dir_all(path: &Path) -> Result<(), FileError> {
    if let Some(parent) = path.parent() {
        create_dirs(parent, 0o777)?;
    }
    create_dirs(path, 0o700)
}

/// The same without syncs, for a folder whose content is synced as a whole before it counts.
pub fn create_scratch_dir_all(path: &Path) -> Result<(), FileError> {
    fs::create_dir_all(path).map_err(fail("create the folder", path))
}

fn create_dirs(path: &Path, mode: u32) -> Result<(), FileError> {
    // the parent of a relative name is the working folder
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    let parent = path.parent().unwrap_or(Path::new(""));
    create_dirs(parent, mode)?;
    match fs::DirBuilder::new().mode(mode).create(path) {
        // someone else made it in between
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
        other => other.map_err(fail("create the folder", path))?,
    }
    sync_dir(if parent.as_os_str().is_empty() {
        Path::new(".")
    } else {
        parent
    })
}

/// Makes the names in a folder durable.
pub fn sync_dir(path: &Path) -> Result<(), FileError> {
    File::open(path)
        .and_then(|d| d.sync_all())
        .map_err(fail("sync the folder", path))
}

pub fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    fs::read(path).map_err(fail("read", path))
}

pub fn read_text(path: &Path) -> Result<String, FileError> {
    fs::read_to_string(path).map_err(fail("read", path))
}

/// A new file that must not exist yet.
pub fn create_new(path: &Path) -> Result<File, FileError> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .map_err(fail("create", path))
}

/// Flushes a written file to disk and makes it read-only.
pub fn seal(file: &File, path: &Path) -> Result<(), FileError> {
    file.set_permissions(fs::Permissions::from_mode(0o444))
        .map_err(fail("make read-only", path))?;
    file.sync_all().map_err(fail("flush to disk", path))
}

pub fn rename(from: &Path, to: &Path) -> Result<(), FileError> {
    fs::rename(from, to).map_err(fail("rename", from))
}

/// The folder of a path; that of a bare name is the current one.
fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// Writes a whole file through a temporary name in the same folder: afterwards it is there with all its bytes, or
/// as it was before. Durable when it returns.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let folder = folder_of(path);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    let partial = folder.join(name);
    remove_if_there(&partial)?;
    let mut file = create_new(&partial)?;
    file.write_all(bytes).map_err(fail("write", &partial))?;
    seal(&file, &partial)?;
    rename(&partial, path)?;
    sync_dir(folder)
}

/// Writes a new file for people to edit; it must not exist yet.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    create_new(path)?.write_all(bytes).map_err(fail("write", path))
}

/// Writes a new file that only its owner may read; it must not exist yet.
pub fn write_private_new(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.and_then(|mut f| f.write_all(bytes)).map_err(fail("write", path))
}

pub fn remove_if_there(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(fail("remove", path)(e)),
        _ => Ok(()),
    }
}

pub fn remove_tree_if_there(path: &Path) -> Result<(), FileError> {
    match fs::remove_dir_all(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(fail("remove the folder", path)(e)),
        _ => Ok(()),
    }
}

pub fn hard_link(from: &Path, to: &Path) -> Result<(), FileError> {
    fs::hard_link(from, to).map_err(fail("link", to))
}

/// Points a symbolic link at a target by renaming a new link over the old one; durable when it returns.
pub fn point_link(link: &Path, target: &Path) -> Result<(), FileError> {
    let folder = folder_of(link);
    let mut name = link.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let fresh = folder.join(name);
    remove_if_there(&fresh)?;
    std::os::unix::fs::symlink(target, &fresh).map_err(fail("create the link", &fresh))?;
    rename(&fresh, link)?;
    sync_dir(folder)
}

/// A path from the root, links resolved.
pub fn absolute(path: &Path) -> Result<PathBuf, FileError> {
    fs::canonicalize(path).map_err(fail("find", path))
}

/// Where a symbolic link points, or `None` when there is none.
pub fn read_link(link: &Path) -> Result<Option<PathBuf>, FileError> {
    match fs::read_link(link) {
        Ok(target) => Ok(Some(target)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(fail("read the link", link)(e)),
    }
}

/// Names in a folder, sorted; empty when the folder is not there.
pub fn list(folder: &Path) -> Result<Vec<String>, FileError> {
    let entries = match fs::read_dir(folder) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(fail("list", folder))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.push(
            entry
                .map_err(fail("list", folder))?
                .file_name()
                .to_string_lossy()
                .into_owned(),
        );
    }
    names.sort();
    Ok(names)
}

/// What lies under a folder: path relative to it with `/`, and what it is. Links are not followed. Sorted. A name
/// that is not UTF-8 is reported escaped and as special, since no path in text leads to it.
pub fn walk(folder: &Path) -> Result<Vec<(String, FileKind)>, FileError> {
    fn visit(folder: &Path, relative: &str, out: &mut Vec<(String, FileKind)>) -> Result<(), FileError> {
        let entries = match fs::read_dir(folder) {
            // not there, or gone since its name was read
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            other => other.map_err(fail("list", folder))?,
        };
        let mut names = Vec::new();
        for entry in entries {
            names.push(entry.map_err(fail("list", folder))?.file_name());
        }
        names.sort();
        for name in names {
            let label = name
                .to_str()
                .map_or_else(|| name.as_encoded_bytes().escape_ascii().to_string(), str::to_owned);
            let path = if relative.is_empty() {
                label
            } else {
                format!("{relative}/{label}")
            };
            if name.to_str().is_none() {
                out.push((path, FileKind::Special));
                continue;
            }
            let full = folder.join(&name);
            let kind = match fs::symlink_metadata(&full) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                other => other.map_err(fail("look at", &full))?.file_type(),
            };
            if kind.is_dir() {
                visit(&full, &path, out)?;
            } else if kind.is_file() {
                out.push((path, FileKind::File));
            } else {
                out.push((path, FileKind::Special));
            }
        }
        Ok(())
    }
    let mut out = Vec::new();
    visit(folder, "", &mut out)?;
    Ok(out)
}

/// What an entry of a folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    File,
    /// A link, a pipe, a socket, a device, or a name that is not UTF-8: never opened.
    Special,
}

/// Opens a plain file for reading: no link in its last part is followed, no pipe is waited for, and what is no plain
/// file is refused.
pub fn open_plain(path: &Path) -> Result<File, FileError> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(i32::try_from(flags.bits()).unwrap_or(0))
        .open(path)
        .map_err(fail("open", path))?;
    if !file.metadata().map_err(fail("look at", path))?.is_file() {
        return Err(fail("open", path)(io::Error::other("it is no plain file")));
    }
    Ok(file)
}

/// SHA-256 and size of a file.
pub fn hash_file(path: &Path) -> Result<(Digest, u64), FileError> {
    let mut hasher = Hasher::new();
    let size = hash_rest(path, &mut hasher, 0)?;
    Ok((hasher.finish(), size))
}

/// Hashes a file from a byte to its end, and says how many bytes those are.
pub fn hash_rest(path: &Path, hasher: &mut Hasher, from: u64) -> Result<u64, FileError> {
    let mut file = open_plain(path)?;
    file.seek(SeekFrom::Start(from)).map_err(fail("read", path))?;
    let mut size = 0;
    let mut buffer = vec![0; 1 << 18];
    loop {
        let n = file.read(&mut buffer).map_err(fail("read", path))?;
        if n == 0 {
            return Ok(size);
        }
        hasher.raw(&buffer[..n]);
        size += n as u64;
    }
}

/// Size and inode of a file, without following links.
pub fn identity(path: &Path) -> Result<(u64, u64), FileError> {
    let meta = fs::symlink_metadata(path).map_err(fail("look at", path))?;
    Ok((meta.len(), meta.ino()))
}

/// When a path was last written.
pub fn modified(path: &Path) -> Result<Instant, FileError> {
    let meta = fs::symlink_metadata(path).map_err(fail("look at", path))?;
    Ok(Instant::from_micros(
        meta.mtime() * 1_000_000 + meta.mtime_nsec() / 1000,
    ))
}

#[must_use]
pub fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn a_name_that_is_not_utf8_is_reported_and_stops_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("a.csv"), b"a").expect("a file");
        fs::write(folder.path().join(OsStr::from_bytes(b"b\xff.csv")), b"b").expect("a file");
        fs::create_dir(folder.path().join(OsStr::from_bytes(b"c\xfe"))).expect("a folder");
        let found = walk(folder.path()).expect("a listing");
        let expected = [
            ("a.csv", FileKind::File),
            ("b\\xff.csv", FileKind::Special),
            ("c\\xfe", FileKind::Special),
        ];
        assert_eq!(found, expected.map(|(name, kind)| (name.to_owned(), kind)));
    }

    #[test]
    fn only_the_folder_itself_is_private() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a/b");
        create_private_dir_all(&path).expect("it is made");
        create_private_dir_all(&path).expect("again");
        let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o700);
        assert_ne!(mode(&folder.path().join("a")), 0o700);
    }
}
