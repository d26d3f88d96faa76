//! Messages as files in a folder: the whole program can be tried without a server.
//!
//! Duty: one `.eml` file a message, complete or not there at all; a file that is there with the same bytes is a
//! message that has left. Not its duty: tidying the folder.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::delivery::message::{Cause, Outcome, Parcel};

use super::MailRoute;

/// Writes `<sequence>-<key>.eml` into one folder, which is made when the first message comes.
#[derive(Clone, Debug)]
pub struct FolderRoute {
    folder: PathBuf,
}

impl FolderRoute {
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> FolderRoute {
        FolderRoute { folder: folder.into() }
    }

    /// Name of a message's file: the sequence with six digits, so that names sort in the order of sending.
    #[must_use]
    pub fn file_name(parcel: &Parcel<'_>) -> String {
        format!("{:06}-{}.eml", parcel.sequence, parcel.message_key)
    }

    fn write(&self, parcel: &Parcel<'_>) -> io::Result<Outcome> {
        fs::create_dir_all(&self.folder)?;
        let name = FolderRoute::file_name(parcel);
        let path = self.folder.join(&name);
        if let Some(outcome) = compare(&path, &name, parcel.bytes)? {
            return Ok(outcome);
        }
        // the temporary name is not a `.eml`, and always the same: what a killed run left is overwritten
        let temporary = self.folder.join(format!(".{name}.part"));
        let mut file = File::create(&temporary)?;
        file.write_all(parcel.bytes)?;
        file.sync_all()?;
        drop(file);
        // a link, unlike a rename, never takes the place of a file that is there
        let linked = fs::hard_link(&temporary, &path);
        fs::remove_file(&temporary)?;
        match linked {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Ok(compare(&path, &name, parcel.bytes)?.unwrap_or_else(|| other_content(&name)));
            }
            Err(error) => return Err(error),
        }
        File::open(&self.folder)?.sync_all()?;
        Ok(Outcome::Accepted { refused: Vec::new() })
    }
}

impl MailRoute for FolderRoute {
    fn deliver(&self, parcel: &Parcel<'_>) -> Outcome {
        self.write(parcel).unwrap_or_else(|error| Outcome::Unreachable {
            cause: Cause::Storage,
            text: format!(
                "cannot write {}: {error}",
                self.folder.join(FolderRoute::file_name(parcel)).display()
            ),
        })
    }
}

/// What a file that is already there means; `None` when there is none.
fn compare(path: &Path, name: &str, bytes: &[u8]) -> io::Result<Option<Outcome>> {
    match fs::read(path) {
        Ok(found) if found == bytes => Ok(Some(Outcome::Accepted { refused: Vec::new() })),
        Ok(_) => Ok(Some(other_content(name))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn other_content(name: &str) -> Outcome {
    let text = format!("{name} is there with other content: move it away, then queue the message again");
    Outcome::Permanent { code: None, text }
}
