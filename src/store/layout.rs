//! Where things lie in a workspace.
//!
//! Duty: every path, once. Not its duty: reading or writing.

use std::path::{Path, PathBuf};

use crate::domain::Digest;

/// The folders of a workspace.
#[derive(Clone, Debug)]
pub struct Layout {
    workspace: PathBuf,
}

impl Layout {
    #[must_use]
    pub fn new(workspace: &Path) -> Layout {
        Layout {
            workspace: workspace.to_owned(),
        }
    }

    #[must_use]
    pub fn workspace(&self) -> &Path {
        &self.workspace
    }

    #[must_use]
    pub fn landing(&self) -> PathBuf {
        self.workspace.join("landing")
    }

    /// Beside the warehouse, so that the warehouse can be deleted and rebuilt under the lock.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.landing().join("lock")
    }

    /// Originals by content hash.
    #[must_use]
    pub fn original(&self, hash: Digest) -> PathBuf {
        self.originals().join(hash.to_string())
    }

    #[must_use]
    pub fn originals(&self) -> PathBuf {
        self.landing().join("originals")
    }

    #[must_use]
    pub fn arrivals(&self) -> PathBuf {
        self.landing().join("arrivals")
    }

    #[must_use]
    pub fn runs(&self) -> PathBuf {
        self.landing().join("runs")
    }

    /// Bundles of configuration (rules, contracts, sources, measures) as runs used them, by hash.
    #[must_use]
    pub fn configurations(&self) -> PathBuf {
        self.landing().join("configurations")
    }

    /// Keys of mails that a server has accepted: kept beside the warehouse, so that a rebuild does not send again.
    #[must_use]
    pub fn sent(&self) -> PathBuf {
        self.landing().join("sent")
    }

    /// Returned mail: one record and one original a report.
    #[must_use]
    pub fn bounces(&self) -> PathBuf {
        self.landing().join("bounces")
    }

    #[must_use]
    pub fn warehouse(&self) -> PathBuf {
        self.workspace.join("warehouse")
    }

    /// The pointer that readers follow.
    #[must_use]
    pub fn current(&self) -> PathBuf {
        self.warehouse().join("current")
    }

    #[must_use]
    pub fn settled(&self, calendar: &str) -> PathBuf {
        self.warehouse().join("settled").join(calendar)
    }

    #[must_use]
    pub fn releases(&self) -> PathBuf {
        self.warehouse().join("store").join("releases")
    }

    #[must_use]
    pub fn release(&self, release: &str) -> PathBuf {
        self.releases().join(release)
    }

    #[must_use]
    pub fn manifests(&self) -> PathBuf {
        self.warehouse().join("store").join("manifests")
    }

    #[must_use]
    pub fn manifest(&self, release: &str) -> PathBuf {
        self.manifests().join(format!("{release}.json"))
    }

    #[must_use]
    pub fn staging(&self) -> PathBuf {
        self.warehouse().join("store").join("staging")
    }

    /// Key indexes of parts: a cache that is made again where it is missing.
    #[must_use]
    pub fn key_indexes(&self) -> PathBuf {
        self.warehouse().join("store").join("index")
    }

    #[must_use]
    pub fn private(&self) -> PathBuf {
        self.warehouse().join("private")
    }

    #[must_use]
    pub fn operations(&self) -> PathBuf {
        self.warehouse().join("operations.db")
    }

    #[must_use]
    pub fn outbox(&self) -> PathBuf {
        self.warehouse().join("outbox")
    }
}
