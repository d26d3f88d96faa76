//! `init`: a new workspace.

use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

use super::{CommandResult, Session};
use crate::edges::files;
use crate::pipeline::PipelineError;
use crate::store::StoreError;

static PIPELINES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/pipelines");
static SCHEMAS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/schemas");

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of the new workspace; it must be empty or not exist.
    folder: PathBuf,
}

pub(super) fn init(session: &Session, args: &Args) -> CommandResult {
    let folder = &args.folder;
    if !files::list(folder).map_err(StoreError::from)?.is_empty() {
        return Err(PipelineError::Usage(format!(
            "{} is not empty; name a new folder",
            folder.display()
        )));
    }
    write(&PIPELINES, &folder.join("pipelines"))?;
    write(&SCHEMAS, &folder.join("schemas"))?;
    let at = folder.display();
    session.output.line(&format!(
        "made a workspace in {at} with the sample programme's rules, contracts and measures"
    ));
    session.output.line("next:");
    session.output.line(&format!(
        "  starledger sample --out {at}/sample_data      sample files for its inbox"
    ));
    session.output.line(&format!(
        "  starledger --workspace {at} run               the first release"
    ));
    session
        .output
        .line("or edit pipelines/sources/ so that they name your own files, and pipelines/rules/ to say your rules");
    Ok(())
}

fn write(from: &Dir<'_>, to: &Path) -> Result<(), StoreError> {
    files::create_dir_all(to)?;
    for file in from.files() {
        let name = file.path().file_name().unwrap_or_default();
        files::write_new(&to.join(name), file.contents())?;
    }
    for folder in from.dirs() {
        write(folder, &to.join(folder.path().file_name().unwrap_or_default()))?;
    }
    Ok(())
}
