//! A published release, read.
//!
//! Duty: find the current release, read its tables; a file is trusted by its hash before it is parsed. Not its duty:
//! changing anything.

use std::path::PathBuf;

use super::layout::Layout;
use super::manifest::{Manifest, ReleaseFile};
use super::{StoreError, parquet};
use crate::domain::{Finding, Place, Table};
use crate::edges::files;

/// One immutable release.
#[derive(Clone, Debug)]
pub struct Release {
    folder: PathBuf,
    pub manifest: Manifest,
}

impl Release {
    /// The release that `current` points at; `None` in a workspace that has none yet.
    pub fn current(layout: &Layout) -> Result<Option<Release>, StoreError> {
        let Some(target) = files::read_link(&layout.current())? else {
            return Ok(None);
        };
        let name = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Release::open(layout, &name).map(Some)
    }

    /// A release by name.
    pub fn open(layout: &Layout, name: &str) -> Result<Release, StoreError> {
        let path = layout.manifest(name);
        if !files::exists(&path) || !files::exists(&layout.release(name)) {
            return Err(StoreError::Integrity(Box::new(Finding::error(
                Place::file(path.display().to_string()),
                "release.missing",
                format!("release {name} has lost its folder or its manifest"),
                "delete the warehouse folder and run again: it is rebuilt from landing, byte for byte",
            ))));
        }
        let manifest = Manifest::parse(&path.display().to_string(), &files::read_text(&path)?)?;
        Ok(Release {
            folder: layout.release(name),
            manifest,
        })
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.manifest.release
    }

    #[must_use]
    pub fn folder(&self) -> &std::path::Path {
        &self.folder
    }

    pub fn files_of<'a>(&'a self, table: &'a str) -> impl Iterator<Item = &'a ReleaseFile> {
        self.manifest.files.iter().filter(move |f| f.table == table)
    }

    #[must_use]
    pub fn path_of(&self, file: &ReleaseFile) -> PathBuf {
        self.folder.join(&file.path)
    }

    /// All rows of a table, file after file by path; a table that the release does not have yet is empty and without
    /// columns.
    pub fn read_table(&self, table: &str) -> Result<Table, StoreError> {
        let mut out = Table::new(table, &[]);
        for file in self.files_of(table) {
            out = parquet::joined(out, self.read_file(file)?);
        }
        Ok(out)
    }

    fn read_file(&self, file: &ReleaseFile) -> Result<Table, StoreError> {
        self.check_file(file)?;
        parquet::read(&self.path_of(file), &file.table)
    }

    /// Whether a file still has the bytes that were published.
    pub fn check_file(&self, file: &ReleaseFile) -> Result<(), StoreError> {
        let path = self.path_of(file);
        if files::hash_file(&path)? != (file.sha256, file.bytes) {
            return Err(StoreError::Integrity(Box::new(changed(&path.display().to_string()))));
        }
        Ok(())
    }
}

/// The finding for a file whose bytes are not the ones that were published.
#[must_use]
pub fn changed(path: &str) -> Finding {
    Finding::error(
        Place::file(path),
        "release.changed",
        "its bytes are not the ones that were published",
        "delete the warehouse folder and run again: it is rebuilt from landing, byte for byte",
    )
}
