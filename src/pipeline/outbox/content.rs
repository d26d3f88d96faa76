//! Envelope and bytes of a message, from the private store.
//!
//! Duty: read them, and say where they are. Must not: keep them, or show an address where nobody asked for it.

use std::path::PathBuf;

use serde_json::Value as Json;

use super::Entry;
use crate::delivery::Envelope;
use crate::domain::Digest;
use crate::store::layout::Layout;
use crate::store::private::{self, Class};

/// Who a message goes to; an error says why that cannot be told.
pub fn envelope(layout: &Layout, hash: Option<Digest>) -> Result<Envelope, String> {
    let bytes = stored(layout, hash)?;
    let json: Json = serde_json::from_slice(&bytes).map_err(|e| format!("its envelope is no JSON: {e}"))?;
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    Ok(Envelope {
        from: text(&json["from"]),
        to: json["to"]
            .as_array()
            .map(|list| list.iter().map(text).collect())
            .unwrap_or_default(),
    })
}

/// The bytes of a message as they were composed.
pub fn message_bytes(layout: &Layout, entry: &Entry) -> Result<Vec<u8>, String> {
    stored(layout, entry.content)
}

/// Where the bytes of a message lie, whether or not they are there any more.
#[must_use]
pub fn bytes_path(layout: &Layout, entry: &Entry) -> Option<PathBuf> {
    entry.content.map(|hash| private::path(layout, Class::Mail, hash))
}

/// The lines of a message before its body, as they are.
#[must_use]
pub fn head(bytes: &[u8]) -> Vec<String> {
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end])
        .lines()
        .map(str::to_owned)
        .collect()
}

fn stored(layout: &Layout, hash: Option<Digest>) -> Result<Vec<u8>, String> {
    let hash = hash.ok_or("a hash of its content is missing")?;
    private::bytes(layout, Class::Mail, hash).map_err(|e| format!("its content cannot be read: {e}"))
}
