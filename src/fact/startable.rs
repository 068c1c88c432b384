//! Whether a server would start with the configuration in its data directory, asked without stopping or starting it.

/// Shell functions; what each does stands beside it there.
pub const START_FUNCTIONS: &str = include_str!("scripts/startable.sh");

#[cfg(test)]
mod tests {
    use super::*;

    fn last_words(log: &str) -> String {
        let dir = tempfile::tempdir().expect("a directory");
        let at = dir.path().join("postgresql.csv");
        std::fs::write(&at, log).expect("written");
        let text = format!(
            "journalctl() {{ echo '2026-11-30 10:00:02 UTC [7] FATAL:  could not map anonymous shared memory: Cannot allocate memory'; }}\n{START_FUNCTIONS}\npg_last_words '{}'",
            at.display()
        );
        let output = std::process::Command::new("sh")
            .args(["-c", &text])
            .output();
        String::from_utf8(output.expect("a shell").stdout).expect("text")
    }

    #[test]
    fn what_was_said_before_the_stop_is_not_why_it_does_not_start() {
        let line = |severity: &str, code: &str, message: &str| {
            format!(
                "2026-11-30 10:00:00.000 UTC,,,5698,,6b0d.1,4,,2026-11-30 09:00:00 UTC,,0,{severity},{code},\"{message}\",,,,,,,,,\"\",\"walreceiver\",,0\n"
            )
        };
        let before = line(
            "FATAL",
            "57P01",
            "terminating walreceiver process due to administrator command",
        );
        let stopped = line("LOG", "00000", "database system is shut down");
        let mapped = "FATAL: could not map anonymous shared memory: Cannot allocate memory\n";
        assert_eq!(last_words(&format!("{before}{stopped}")), mapped);
        let after = line("FATAL", "F0000", "could not access file \"\"x\"\", no");
        assert_eq!(
            last_words(&format!("{before}{stopped}{after}")),
            "FATAL: could not access file \"x\", no\n"
        );
        assert_eq!(
            last_words("2026-11-30 10:00:00 UTC [7] FATAL:  no room\n"),
            "FATAL: no room\n"
        );
    }

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
