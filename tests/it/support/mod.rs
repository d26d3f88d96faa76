//! What tests share: scratch workspaces, the program as a user runs it, Python with the outside tools.

pub mod copies;
pub mod python;
pub mod tool;
pub mod workspace;

pub use python::python;
pub use tool::has_tool;
pub use workspace::{Workspace, ran_sample};
