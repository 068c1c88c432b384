//! Whether a server would start with the configuration in its data directory, asked without stopping or starting it.

/// Shell functions; what each does stands beside it there.
pub const START_FUNCTIONS: &str = include_str!("scripts/startable.sh");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_runs_where_its_process_works() {
        let dir = tempfile::tempdir().expect("a directory");
        let at = dir.path().display().to_string();
        let runs = |pid: &str| {
            std::fs::write(dir.path().join("postmaster.pid"), format!("{pid}\n")).expect("written");
            let text = format!("{START_FUNCTIONS}\npg_runs '{at}' && echo yes || echo no");
            let output = std::process::Command::new("sh")
                .args(["-c", &text])
                .output();
            String::from_utf8(output.expect("a shell").stdout).expect("text")
        };
        assert_eq!(runs(&std::process::id().to_string()), "no\n");
        assert_eq!(runs("999999999"), "no\n");
        assert_eq!(runs(""), "no\n");
        let mut child = std::process::Command::new("sleep");
        let mut child = child
            .arg("60")
            .current_dir(dir.path())
            .spawn()
            .expect("a process");
        assert_eq!(runs(&child.id().to_string()), "yes\n");
        child.kill().and_then(|()| child.wait()).expect("ended");
    }
}
