//! When a file is whole.
//!
//! Duty: what the source declares about it, held against what stands in the inbox and the clock. Not its duty: files
//! that move while they are copied (landing finds them whatever is declared).

use std::path::Path;

use crate::domain::Instant;
use crate::edges::files::FileError;
use crate::edges::outside::{self, Stamp};
use crate::ingest::Source;
use crate::ingest::source::Ready;

/// Whether a path says of another file that it is whole: such a file is a delivery of no source.
pub fn is_marker(sources: &[Source], path: &str) -> bool {
    sources.iter().any(|source| {
        let suffix = source.ready.done_suffix.as_deref();
        suffix
            .and_then(|suffix| path.strip_suffix(suffix))
            .is_some_and(|file| source.matches(file))
    })
}

/// Why a file is not taken yet; `None` when it is whole as far as its source can tell.
pub fn waits(
    workspace: &Path,
    ready: &Ready,
    path: &str,
    stamp: &Stamp,
    now: Instant,
) -> Result<Option<String>, FileError> {
    if let Some(suffix) = &ready.done_suffix {
        let marker = format!("{path}{suffix}");
        let marker = outside::look_at(workspace, &marker)?;
        if let Some(why) = waits_for_marker(suffix, stamp, marker.as_ref()) {
            return Ok(Some(why));
        }
    }
    Ok(waits_for_time(ready.stable_seconds, stamp, now))
}

fn waits_for_marker(suffix: &str, stamp: &Stamp, marker: Option<&Stamp>) -> Option<String> {
    match marker {
        None => Some(format!("no file with '{suffix}' behind its name stands beside it")),
        // the marker of a former delivery says nothing about the bytes that are there now
        Some(marker) if marker.modified_ns < stamp.modified_ns => {
            Some(format!("it was written to after the file with '{suffix}' beside it"))
        }
        Some(_) => None,
    }
}

fn waits_for_time(stable_seconds: u32, stamp: &Stamp, now: Instant) -> Option<String> {
    const NANOSECONDS: i64 = 1_000_000_000;
    if stable_seconds == 0 {
        return None;
    }
    let age_ns = now.micros().saturating_mul(1000).saturating_sub(stamp.modified_ns);
    if age_ns < 0 {
        return Some(format!(
            "its time of writing lies {} seconds in the future, so that it counts as just written",
            age_ns.saturating_neg() / NANOSECONDS + 1
        ));
    }
    let age = age_ns / NANOSECONDS;
    (age < i64::from(stable_seconds))
        .then(|| format!("it was written to {age} seconds ago, and has to stand still for {stable_seconds}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(seconds: i64) -> Stamp {
        Stamp {
            device: 1,
            inode: 1,
            bytes: 1,
            modified_ns: seconds * 1_000_000_000,
            changed_ns: seconds * 1_000_000_000,
        }
    }

    #[test]
    fn a_file_stands_still_for_as_long_as_declared() {
        let now = Instant::from_micros(1000 * 1_000_000);
        let why = |stable, modified| waits_for_time(stable, &written(modified), now).unwrap_or_default();
        assert_eq!(why(60, 940), "");
        assert_eq!(
            why(60, 941),
            "it was written to 59 seconds ago, and has to stand still for 60"
        );
        assert!(why(60, 1001).contains("in the future"));
        // nothing is declared: the future is no reason
        assert_eq!(why(0, 1001), "");
        assert!(why(u32::MAX, i64::MAX / 1_000_000_000).contains("in the future"));
    }

    #[test]
    fn a_marker_speaks_for_what_was_there_before_it() {
        let why = |marker: Option<i64>| waits_for_marker(".done", &written(10), marker.map(written).as_ref());
        assert!(why(None).is_some_and(|w| w.contains("'.done'")));
        assert!(why(Some(9)).is_some_and(|w| w.contains("after the file with '.done'")));
        assert_eq!(why(Some(10)), None);
        assert_eq!(why(Some(11)), None);
    }
}
