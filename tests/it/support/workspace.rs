//! Scratch workspaces, and the program run in them as a user would.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use starledger::domain::Digest;
use tempfile::TempDir;

/// The repository, which is the sample workspace.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A copy of the sample workspace's configuration and inbox in a temporary folder.
pub struct Workspace {
    folder: TempDir,
}

/// How a command ended.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Workspace {
    /// Rules, contracts, sources, measures and sample data of the repository.
    pub fn sample() -> Workspace {
        let workspace = Workspace {
            folder: TempDir::new().expect("a temporary folder"),
        };
        for part in ["pipelines", "schemas", "sample_data"] {
            copy(&repository().join(part), &workspace.path().join(part));
        }
        workspace
    }

    /// The sample without letters to the programme's own people: what partners get, and nothing else.
    pub fn of_partners() -> Workspace {
        let workspace = Workspace::sample();
        fs::remove_file(workspace.path().join("pipelines/readers.toml")).expect("the readers");
        workspace
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_starledger"));
        command.arg("--workspace").arg(self.path()).args(arguments);
        for name in [
            "STARLEDGER_WORKSPACE",
            "STARLEDGER_LOG",
            "POLARS_MAX_THREADS",
            "TZ",
            "LC_ALL",
        ] {
            command.env_remove(name);
        }
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        ran(&self.command(arguments).output().expect("the program starts"))
    }

    /// Runs and expects exit code 0.
    pub fn ok(&self, arguments: &[&str]) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "{arguments:?}\n{}\n{}", ran.stdout, ran.stderr);
        ran
    }

    pub fn warehouse(&self) -> PathBuf {
        self.path().join("warehouse")
    }

    /// Hashes of all files of the current release, by path in it.
    pub fn release_hashes(&self) -> BTreeMap<String, Digest> {
        hashes(&self.warehouse().join("current"))
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
        fs::write(path, text).expect("the file");
    }

    pub fn edit(&self, name: &str, from: &str, to: &str) {
        let path = self.path().join(name);
        let text = fs::read_to_string(&path).expect("the file to edit");
        assert!(text.contains(from), "{name} does not hold {from:?}");
        fs::write(path, text.replacen(from, to, 1)).expect("the edited file");
    }
}

pub fn ran(output: &Output) -> Ran {
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Hashes of all files below a folder, links followed, by relative path.
pub fn hashes(folder: &Path) -> BTreeMap<String, Digest> {
    fn visit(base: &Path, folder: &Path, out: &mut BTreeMap<String, Digest>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                visit(base, &path, out);
            } else {
                let name = path.strip_prefix(base).expect("below").to_string_lossy().into_owned();
                out.insert(name, Digest::of(&fs::read(&path).expect("a file")));
            }
        }
    }
    let mut out = BTreeMap::new();
    visit(folder, folder, &mut out);
    out
}

pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).expect("a copy");
        }
    }
}

/// A workspace in which the sample ran once; made once per test binary and copied for each test.
pub fn ran_sample() -> Workspace {
    static BASE: std::sync::OnceLock<Workspace> = std::sync::OnceLock::new();
    let base = BASE.get_or_init(|| {
        let workspace = Workspace::sample();
        workspace.ok(&["run"]);
        workspace
    });
    let workspace = Workspace {
        folder: TempDir::new().expect("a temporary folder"),
    };
    let status = Command::new("cp")
        .arg("-a")
        .arg(format!("{}/.", base.path().display()))
        .arg(workspace.path())
        .status();
    assert!(status.expect("cp runs").success());
    workspace
}
