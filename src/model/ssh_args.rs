//! Arguments of ssh as inventories hold them (`ansible_ssh_args`, `ansible_ssh_common_args`, `ansible_ssh_extra_args`):
//! what of them matters to a client that is not ssh, and what has no effect.

/// What a list of arguments asks for. Of a setting that is given twice the first counts, as with ssh.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SshArgs {
    /// Settings as `ssh_config` names them, in lower case, in order.
    pub settings: Vec<(String, String)>,
    /// The file to read instead of `~/.ssh/config` (`-F`).
    pub config: Option<String>,
    /// Arguments without effect, as they were written.
    pub ignored: Vec<String>,
    /// What cannot be read, in words.
    pub problems: Vec<String>,
}

/// Settings that are acted on; all others are named as being without effect.
const ACTED_ON: [&str; 13] = [
    "globalknownhostsfile",
    "hostkeyalias",
    "hostname",
    "identitiesonly",
    "identityagent",
    "identityfile",
    "port",
    "proxycommand",
    "proxyjump",
    "proxyusefdpass",
    "stricthostkeychecking",
    "user",
    "userknownhostsfile",
];

/// Flags of ssh that take a value, as far as they are not acted on.
const WITH_VALUE: &str = "BbcDEeILmOPQRSWw";

impl SshArgs {
    /// Reads arguments, adding to what was read before.
    pub fn read(&mut self, args: &str) {
        let words = match words(args) {
            Ok(words) => words,
            Err(problem) => return self.problems.push(problem),
        };
        let mut rest = words.into_iter();
        while let Some(word) = rest.next() {
            self.word(&word, &mut rest);
        }
    }

    /// The first value of a setting.
    pub fn first(&self, keyword: &str) -> Option<&str> {
        let found = self.settings.iter().find(|(known, _)| known == keyword);
        found.map(|(_, value)| value.as_str())
    }

    fn word(&mut self, word: &str, rest: &mut impl Iterator<Item = String>) {
        let Some(flags) = word.strip_prefix('-').filter(|flags| !flags.is_empty()) else {
            let problem = format!("`{word}` is no argument of ssh");
            return self.problems.push(problem);
        };
        for (at, flag) in flags.char_indices() {
            let takes = WITH_VALUE.contains(flag) || "iFJlpo".contains(flag);
            if !takes {
                self.ignored.push(format!("-{flag}"));
                continue;
            }
            let glued = &flags[at + flag.len_utf8()..];
            let value = match glued {
                "" => rest.next(),
                glued => Some(glued.to_owned()),
            };
            return match value {
                Some(value) => self.flag(flag, &value),
                None => self.problems.push(format!("`-{flag}` lacks its value")),
            };
        }
    }

    fn flag(&mut self, flag: char, value: &str) {
        match flag {
            'i' => self.set("identityfile", value),
            'J' => self.set("proxyjump", value),
            'l' => self.set("user", value),
            'p' => self.set("port", value),
            'F' => {
                self.config.get_or_insert_with(|| value.to_owned());
            }
            'o' => self.option(value),
            other => self.ignored.push(format!("-{other} {value}")),
        }
    }

    /// `Keyword=value` or `Keyword value`.
    fn option(&mut self, text: &str) {
        let text = text.trim();
        let end = text.find(|c: char| c.is_whitespace() || c == '=');
        let Some((keyword, value)) = end.map(|at| text.split_at(at)) else {
            return self.problems.push(format!("`-o {text}` lacks its value"));
        };
        let value = value.trim_start();
        let value = value.strip_prefix('=').unwrap_or(value).trim();
        let keyword = keyword.to_ascii_lowercase();
        match ACTED_ON.contains(&keyword.as_str()) {
            true => self.set(&keyword, value),
            false => self.ignored.push(format!("-o {text}")),
        }
    }

    /// Keys add up, of all others the first counts; a jump host and a command are two words for one thing.
    fn set(&mut self, keyword: &str, value: &str) {
        let way = |keyword: &str| matches!(keyword, "proxyjump" | "proxycommand");
        if keyword == "port" && value.parse::<u16>().is_err() {
            return self.problems.push(format!("`{value}` is no port"));
        }
        let again = |known: &str| known == keyword || way(known) && way(keyword);
        if keyword == "identityfile" || !self.settings.iter().any(|(known, _)| again(known)) {
            self.settings.push((keyword.to_owned(), value.to_owned()));
        }
    }
}

/// Words as a shell takes them: quotes and backslashes, nothing else.
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match (c, quote) {
            (c, Some(q)) if c == q => quote = None,
            ('\\', None | Some('"')) => word.get_or_insert_default().extend(rest.next()),
            (c, Some(_)) => word.get_or_insert_default().push(c),
            ('"' | '\'', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            (c, None) => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return Err(format!("`{text}`: a quote is not closed"));
    }
    words.extend(word);
    Ok(words)
}

/// The jump host that a command is for: `ssh -W %h:%p [-q] [-p PORT] [-l USER] HOST` with no other argument. All other
/// commands are for the shell.
pub fn plain_jump(command: &str) -> Option<String> {
    let words = words(command).ok()?;
    let (program, mut rest) = (words.first()?, words.iter().skip(1));
    if program != "ssh" && !program.ends_with("/ssh") {
        return None;
    }
    let (mut host, mut port, mut user, mut forwards) = (None, None, None, false);
    while let Some(word) = rest.next() {
        match word.as_str() {
            "-q" | "-x" | "-T" | "-a" => {}
            "-W" => forwards = matches!(rest.next()?.as_str(), "%h:%p" | "[%h]:%p"),
            "-W%h:%p" | "-W[%h]:%p" => forwards = true,
            "-p" => port = Some(rest.next()?),
            "-l" => user = Some(rest.next()?),
            other if other.starts_with('-') || host.is_some() => return None,
            _ => host = Some(word),
        }
    }
    let host = host.filter(|host| forwards && !host.contains('%'))?;
    let user = user.map_or(String::new(), |user| format!("{user}@"));
    let port = port.map_or(String::new(), |port| format!(":{port}"));
    Some(format!("{user}{host}{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(args: &[&str]) -> SshArgs {
        let mut read = SshArgs::default();
        args.iter().for_each(|args| read.read(args));
        read
    }

    #[test]
    fn all_lists_count_and_the_first_value_wins() {
        let args = read(&[
            "-C -o ControlMaster=auto -o ControlPersist=60s",
            "-J gate,b@c:22 -o Port=2222 -l dba",
            "-o Port=1 -oProxyCommand='nc %h %p' -i a -i b -F /f",
        ]);
        let settings: Vec<(&str, &str)> = args
            .settings
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        assert_eq!(
            settings,
            [
                ("proxyjump", "gate,b@c:22"),
                ("port", "2222"),
                ("user", "dba"),
                ("identityfile", "a"),
                ("identityfile", "b")
            ]
        );
        assert_eq!(args.config.as_deref(), Some("/f"));
        assert_eq!(
            args.ignored,
            ["-C", "-o ControlMaster=auto", "-o ControlPersist=60s"]
        );
        assert!(args.problems.is_empty());
    }

    #[test]
    fn quotes_flags_together_and_what_cannot_be_read() {
        let args = read(&[
            r#"-qp 22 -o 'ProxyCommand = ssh -q "a b" -W %h:%p gate' -o "StrictHostKeyChecking no""#,
        ]);
        assert_eq!(
            args.first("proxycommand"),
            Some(r#"ssh -q "a b" -W %h:%p gate"#)
        );
        assert_eq!(args.first("stricthostkeychecking"), Some("no"));
        assert_eq!(
            (args.first("port"), &*args.ignored),
            (Some("22"), &["-q".to_owned()][..])
        );
        for (bad, words) in [
            ("-o 'x", "a quote is not closed"),
            ("-p ssh", "`ssh` is no port"),
            ("-i", "`-i` lacks its value"),
            ("gate", "`gate` is no argument of ssh"),
            ("-o Port", "`-o Port` lacks its value"),
        ] {
            assert!(read(&[bad]).problems[0].contains(words), "{bad}");
        }
    }

    #[test]
    fn a_plain_command_is_a_jump_host_and_others_are_not() {
        let jump = |command| plain_jump(command);
        assert_eq!(
            jump("ssh -W %h:%p -p 2222 -q user@gate").as_deref(),
            Some("user@gate:2222")
        );
        assert_eq!(
            jump("/usr/bin/ssh gate -l dba -W [%h]:%p").as_deref(),
            Some("dba@gate")
        );
        for other in [
            "ssh -i key -W %h:%p gate",
            "ssh -o StrictHostKeyChecking=no -W %h:%p gate",
            "ssh gate nc %h %p",
            "nc %h %p",
            "ssh -W other:22 gate",
        ] {
            assert_eq!(jump(other), None, "{other}");
        }
    }
}
