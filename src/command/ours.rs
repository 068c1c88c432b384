//! Proof, in the very connection that asks or changes, that the PostgreSQL at its other end is the one that runs in the data
//! directory that is meant: the server reads `postmaster.pid` in its own directory, the shell reads it in that one, and both
//! name the same process of the same start. Links and mounts on the way do not matter.

use super::quote;

/// Shell text before `psql`: sets `citusctl_ours`.
pub fn ours_before(data_dir: &str) -> String {
    format!(
        "citusctl_ours= o1=; {{ read -r o1; read -r _; read -r o2; citusctl_ours=\"$o1 $o2\"; }} 2>/dev/null <{}/postmaster.pid || :\n",
        quote(data_dir)
    )
}

/// An option of `psql`, behind the database.
pub const OURS_OPTION: &str = "-v citusctl_ours=\"$citusctl_ours\"";

/// The first lines that `psql` reads: sets `ours`, and `place`, the server's own word for its data directory.
pub const OURS: &str = "SELECT pg_catalog.split_part(f, E'\\n', 1) OPERATOR(pg_catalog.||) ' ' OPERATOR(pg_catalog.||) \
     pg_catalog.split_part(f, E'\\n', 3) OPERATOR(pg_catalog.=) :'citusctl_ours' AS ours, \
     pg_catalog.current_setting('data_directory') AS place FROM pg_catalog.pg_read_file('postmaster.pid') AS f \\gset\n";

/// The same for statements that change something: they are not reached in a server that is not ours.
pub fn ours_or_stop(data_dir: &str) -> String {
    format!(
        "{OURS}\\if :ours\n\\else\n\\warn 'another PostgreSQL answers here, whose data is in' :place 'and not in' {}\n\
         DO 'BEGIN RAISE EXCEPTION $$this server is not ours: nothing was changed in it$$; END';\n\\endif\n",
        literal(data_dir)
    )
}

/// An argument of a meta-command of `psql`.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shell_reads_the_process_and_its_start() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("it's");
        std::fs::create_dir(&path).expect("made");
        let at = path.display().to_string();
        let said = || {
            let text = format!("set -e\n{}printf %s \"$citusctl_ours\"", ours_before(&at));
            let output = std::process::Command::new("sh")
                .arg("-c")
                .arg(text)
                .output();
            String::from_utf8(output.expect("a shell").stdout).expect("text")
        };
        assert_eq!(said(), "");
        std::fs::write(
            path.join("postmaster.pid"),
            "71\n/pg/data\n1700000000\n5432\n",
        )
        .expect("written");
        assert_eq!(said(), "71 1700000000");
    }
}
