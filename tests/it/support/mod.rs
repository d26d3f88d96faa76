//! What tests share: scratch workspaces, the program as a user runs it, Python with the outside tools.

pub mod python;
pub mod workspace;

pub use python::python;
pub use workspace::{Workspace, ran_sample};
