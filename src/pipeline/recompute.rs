//! As known then: a past release made once more from landing.
//!
//! Duty: do the recorded runs up to a release again in a scratch folder, each with the arrivals, rules and present it
//! had, and compare what comes out with what was published, byte for byte. Not its duty: doing a run (`refresh`);
//! putting anything into the workspace.

use std::collections::BTreeMap;
use std::path::Path;

use super::PipelineError;
use super::refresh::Progress;
use super::run::replay_record;
use crate::domain::{Digest, Finding, Findings, Place};
use crate::edges::files;
use crate::edges::scratch::Scratch;
use crate::store::landing::{self, RunRecord};
use crate::store::layout::Layout;
use crate::store::release::Release;
use crate::store::{StoreError, manifest::ReleaseFile};

/// What was compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recomputed {
    pub release: String,
    /// Runs that were done again.
    pub runs: usize,
    pub as_of: String,
    pub files: usize,
    pub bytes: u64,
    /// Whether the published files were there to be compared with; otherwise the record of the run was.
    pub compared_with_files: bool,
}

/// Does the runs up to a release again below `base` (the system's temporary folder by default) and compares. `wanted` is
/// a release's name, the number of its run, or nothing for the current one.
pub fn recompute(
    layout: &Layout,
    wanted: Option<&str>,
    base: Option<&Path>,
    progress: &dyn Progress,
) -> Result<(Recomputed, Findings), PipelineError> {
    let records = landing::runs(layout)?;
    let target = find(layout, &records, wanted)?;
    let scratch = Scratch::new(base).map_err(StoreError::from)?;
    let beside = Layout::new(scratch.path());
    let until: Vec<&RunRecord> = records.iter().filter(|r| r.run <= target.run).collect();
    borrow(layout, &beside, &until, target.last_arrival)?;
    for record in &until {
        replay_record(&beside, None, progress, record).map_err(|e| in_workspace(e, &beside, layout))?;
    }
    let made = Release::current(&beside)?.ok_or_else(|| PipelineError::Stage {
        what: "doing runs again",
        detail: "no release came out".to_owned(),
    })?;
    compare(layout, target, (&made, &beside), until.len())
}

/// A finding at a file of the scratch workspace is one at the file it stands for.
fn in_workspace(error: PipelineError, beside: &Layout, layout: &Layout) -> PipelineError {
    let (scratch, real) = (
        beside.workspace().display().to_string(),
        layout.workspace().display().to_string(),
    );
    match error {
        PipelineError::Store(StoreError::Integrity(finding)) => {
            let place = Place {
                file: finding.place.file.replace(&scratch, &real),
                ..finding.place.clone()
            };
            PipelineError::Integrity(vec![Finding { place, ..*finding }])
        }
        other => other,
    }
}

pub(super) fn find<'a>(
    layout: &Layout,
    records: &'a [RunRecord],
    wanted: Option<&str>,
) -> Result<&'a RunRecord, PipelineError> {
    let current = Release::current(layout)?;
    let wanted = wanted.map(str::to_owned).or(current.map(|r| r.name().to_owned()));
    let Some(wanted) = wanted else {
        return Err(PipelineError::Usage("there is no release yet".to_owned()));
    };
    let number = wanted
        .trim_start_matches('r')
        .split('-')
        .next()
        .and_then(|n| n.parse::<u64>().ok());
    let is_name = |r: &&RunRecord| r.release.as_deref() == Some(wanted.as_str());
    let is_number = |r: &&RunRecord| !wanted.contains('-') && Some(r.run) == number;
    let found = records.iter().find(is_name).or_else(|| records.iter().find(is_number));
    found.ok_or_else(|| {
        let known: Vec<&str> = records
            .iter()
            .rev()
            .take(5)
            .filter_map(|r| r.release.as_deref())
            .collect();
        PipelineError::Usage(format!(
            "landing has no run that made '{wanted}'; the latest releases are {}",
            known.join(", ")
        ))
    })
}

/// Gives a scratch workspace what arrived up to an arrival and the records of runs; originals and configurations are
/// read where they lie, and nothing is written there.
fn borrow(layout: &Layout, beside: &Layout, records: &[&RunRecord], last_arrival: u64) -> Result<(), PipelineError> {
    let copy = |from: &Path, to: &Path| -> Result<(), StoreError> { Ok(files::write_new(to, &files::read(from)?)?) };
    for folder in [beside.arrivals(), beside.runs()] {
        files::create_scratch_dir_all(&folder).map_err(StoreError::from)?;
    }
    for record in records {
        copy(
            &landing::run_path(layout, record.run),
            &landing::run_path(beside, record.run),
        )?;
    }
    for name in files::list(&layout.arrivals()).map_err(StoreError::from)? {
        let number = name.strip_suffix(".json").and_then(|n| n.parse::<u64>().ok());
        if number.is_some_and(|n| n <= last_arrival) {
            copy(&layout.arrivals().join(&name), &beside.arrivals().join(&name))?;
        }
    }
    for (link, target) in [
        (beside.originals(), layout.originals()),
        (beside.configurations(), layout.configurations()),
    ] {
        let target = files::absolute(&target).map_err(StoreError::from)?;
        files::point_link(&link, &target).map_err(StoreError::from)?;
    }
    Ok(())
}

/// What was made against what was published: the files where they are there, else what the record of the run says.
fn compare(
    layout: &Layout,
    record: &RunRecord,
    (made, beside): (&Release, &Layout),
    runs: usize,
) -> Result<(Recomputed, Findings), PipelineError> {
    let name = record.release.clone().unwrap_or_else(|| made.name().to_owned());
    let mut findings = Findings::new();
    let published = files::exists(&layout.release(&name)) && files::exists(&layout.manifest(&name));
    let by_path = |files: &[ReleaseFile]| -> BTreeMap<String, Digest> {
        files.iter().map(|f| (f.path.clone(), f.sha256)).collect()
    };
    let theirs = by_path(&made.manifest.files);
    if published {
        let release = Release::open(layout, &name)?;
        let ours = by_path(&release.manifest.files);
        for path in ours.keys().chain(theirs.keys().filter(|p| !ours.contains_key(*p))) {
            let file = release.folder().join(path);
            let on_disk = files::exists(&file).then(|| files::hash_file(&file)).transpose();
            let on_disk = on_disk.map_err(StoreError::from)?.map(|(hash, _)| hash);
            if on_disk != theirs.get(path).copied() || on_disk.is_none() {
                findings.push(differs(file.display().to_string(), "is not what comes out of landing"));
            }
        }
    }
    let manifest = Digest::of(&files::read(&beside.manifest(made.name())).map_err(StoreError::from)?);
    if record.manifest_sha256.is_some_and(|hash| hash != manifest) {
        let version = record.code_version.as_deref().unwrap_or("an earlier version");
        let path = landing::run_path(layout, record.run).display().to_string();
        let what = format!(
            "says that run {} of version {version} came to another manifest than version {} comes to now",
            record.run,
            env!("CARGO_PKG_VERSION")
        );
        findings.push(differs(path, &what));
    }
    let recomputed = Recomputed {
        release: name,
        runs,
        as_of: record.as_of.clone(),
        files: made.manifest.files.len(),
        bytes: made.manifest.files.iter().map(|f| f.bytes).sum(),
        compared_with_files: published,
    };
    Ok((recomputed, findings))
}

fn differs(file: String, what: &str) -> Finding {
    Finding::error(
        Place::file(file),
        "recompute.differs",
        what.to_owned(),
        "run `starledger verify`: it says whether the release or landing was changed; releases of another version of \
         the program are made again by that version",
    )
}
