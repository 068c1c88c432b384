//! Arguments of `render`.

use clap::Args;
use std::path::PathBuf;

/// Where to.
#[derive(Debug, Args)]
pub struct RenderArgs {
    /// Target directory; files are written to DIR/HOST/PATH
    #[arg(short, long, value_name = "DIR", default_value = "rendered")]
    pub dir: PathBuf,
    /// Playbook to render
    #[arg(default_value = "site")]
    pub playbook: String,
}
