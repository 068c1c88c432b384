//! The one place where text becomes a shell word.

/// Quotes a text as one word for a POSIX shell. Plain words stay as they are, for the reader's sake.
pub fn quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A program with its values: each is a variable of the shell, set to exactly that text before the program begins.
pub fn given(values: &[(&str, &str)], program: &str) -> String {
    let set = |(name, value): &(&str, &str)| format!("{name}={}\n", quote(value));
    let values: String = values.iter().map(set).collect();
    format!("{values}{program}")
}

/// Shell words before a command that a user runs; `user` is a word of the shell, and the user's group has the same name.
/// `setpriv` and not `runuser`: no session of PAM, and no line in the host's log, for each question and each statement.
pub fn as_user(user: &str) -> String {
    format!("setpriv --reuid {user} --regid {user} --init-groups")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::process::Command;

    fn through_sh(word: &str) -> Vec<u8> {
        let script = format!("printf %s {}", quote(word));
        let output = Command::new("sh").arg("-c").arg(script).output();
        output.map(|o| o.stdout).unwrap_or_default()
    }

    #[test]
    fn keeps_plain_words_readable() {
        assert_eq!(
            quote("/etc/haproxy/haproxy.cfg"),
            "/etc/haproxy/haproxy.cfg"
        );
        assert_eq!(quote(""), "''");
        assert_eq!(quote("it's"), r"'it'\''s'");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn survives_a_real_shell(word in "[^\0]{0,40}") {
            prop_assert_eq!(through_sh(&word), word.as_bytes());
        }
    }
}
