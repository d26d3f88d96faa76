//! Personal data, beside the releases.
//!
//! Duty: texts and bytes by content hash under `private/`, one file per arrival for texts, so that a release holds
//! hashes only and a retention can delete without touching what is frozen. Not its duty: retention itself.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::StoreError;
use super::layout::Layout;
use crate::domain::Digest;
use crate::edges::files;

/// What a released column holds in place of a personal text.
#[must_use]
pub fn token(text: &str) -> String {
    format!("sha256:{}", Digest::of(text.as_bytes()))
}

#[derive(Serialize, Deserialize)]
struct Line {
    token: String,
    text: String,
}

/// Classes of personal data: a folder each, a retention each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Values of personal columns.
    Personal,
    /// Raw text of rejected rows.
    Raw,
    /// Rendered mails and their envelopes.
    Mail,
}

impl Class {
    fn folder(self) -> &'static str {
        match self {
            Class::Personal => "personal",
            Class::Raw => "raw",
            Class::Mail => "mail",
        }
    }
}

/// Keeps the texts of an arrival by token; the same texts give the same file.
pub fn put_texts(
    layout: &Layout,
    class: Class,
    arrival: i64,
    texts: &BTreeMap<String, String>,
) -> Result<(), StoreError> {
    if texts.is_empty() {
        return Ok(());
    }
    let folder = layout.private().join(class.folder());
    files::create_private_dir_all(&layout.private())?;
    files::create_dir_all(&folder)?;
    let mut bytes = Vec::new();
    for (token, text) in texts {
        let line = Line {
            token: token.clone(),
            text: text.clone(),
        };
        serde_json::to_writer(&mut bytes, &line).map_err(|e| StoreError::Format {
            action: "write",
            path: folder.display().to_string(),
            detail: e.to_string(),
        })?;
        bytes.push(b'\n');
    }
    Ok(files::write_atomic(
        &folder.join(format!("{arrival:08}.jsonl")),
        &bytes,
    )?)
}

/// Texts by token of the given arrivals.
pub fn texts(
    layout: &Layout,
    class: Class,
    arrivals: impl IntoIterator<Item = i64>,
) -> Result<BTreeMap<String, String>, StoreError> {
    let folder = layout.private().join(class.folder());
    let mut out = BTreeMap::new();
    for arrival in arrivals {
        let path = folder.join(format!("{arrival:08}.jsonl"));
        if !files::exists(&path) {
            continue;
        }
        for line in files::read_text(&path)?.lines() {
            let line: Line = serde_json::from_str(line).map_err(|e| StoreError::Format {
                action: "read",
                path: path.display().to_string(),
                detail: e.to_string(),
            })?;
            out.insert(line.token, line.text);
        }
    }
    Ok(out)
}

/// Keeps bytes under their hash.
pub fn put_bytes(layout: &Layout, class: Class, bytes: &[u8]) -> Result<Digest, StoreError> {
    let folder = layout.private().join(class.folder());
    files::create_private_dir_all(&layout.private())?;
    files::create_dir_all(&folder)?;
    let hash = Digest::of(bytes);
    let path = folder.join(hash.to_string());
    if !files::exists(&path) {
        files::write_atomic(&path, bytes)?;
    }
    Ok(hash)
}

/// Where bytes of a hash lie, if they are there.
#[must_use]
pub fn path(layout: &Layout, class: Class, hash: Digest) -> PathBuf {
    layout.private().join(class.folder()).join(hash.to_string())
}

/// Bytes by hash; changed ones are an error.
pub fn bytes(layout: &Layout, class: Class, hash: Digest) -> Result<Vec<u8>, StoreError> {
    let path = path(layout, class, hash);
    let bytes = files::read(&path)?;
    if Digest::of(&bytes) != hash {
        return Err(StoreError::Integrity(Box::new(super::release::changed(
            &path.display().to_string(),
        ))));
    }
    Ok(bytes)
}
