//! Lines that a user wrote as `pg_hba.conf` has them. One that PostgreSQL cannot read keeps it from starting.

const WITH_ADDRESS: [&str; 5] = ["host", "hostssl", "hostnossl", "hostgssenc", "hostnogssenc"];
const INCLUDES: [&str; 3] = ["include", "include_if_exists", "include_dir"];
const METHODS: [&str; 15] = [
    "trust",
    "reject",
    "scram-sha-256",
    "md5",
    "password",
    "gss",
    "sspi",
    "ident",
    "peer",
    "ldap",
    "radius",
    "cert",
    "pam",
    "bsd",
    "oauth",
];

/// What is wrong with a line, if anything.
pub(super) fn fault(line: &str) -> Option<String> {
    let words = match words(line) {
        Ok(words) => words,
        Err(why) => return Some(why),
    };
    let first = words.first()?.as_str();
    let method = match first {
        "local" => words.get(3),
        _ if WITH_ADDRESS.contains(&first) => method_after_address(&words),
        _ if INCLUDES.contains(&first) => return None,
        _ => {
            return Some(format!(
                "`{first}` begins no line: there are `local`, `host`, `hostssl`, `hostnossl`"
            ));
        }
    };
    match method {
        None => Some("the line has too few words".to_owned()),
        Some(method) if METHODS.contains(&method.as_str()) => None,
        Some(method) => Some(format!("`{method}` is no authentication method")),
    }
}

/// An address may be followed by a mask of its own.
fn method_after_address(words: &[String]) -> Option<&String> {
    let mask = words
        .get(4)
        .is_some_and(|word| word.parse::<std::net::IpAddr>().is_ok());
    words.get(if mask { 5 } else { 4 })
}

/// Words up to a comment; a comma joins, double quotes keep blanks.
fn words(line: &str) -> Result<Vec<String>, String> {
    let mut found: Vec<String> = Vec::new();
    let (mut word, mut quoted, mut joined) = (String::new(), false, false);
    for c in line.chars() {
        match (quoted, c) {
            (_, '"') => {
                quoted = !quoted;
                word.push(c);
            }
            (false, '#') => break,
            (false, _) if c.is_whitespace() => {
                joined = word.ends_with(',') || (word.is_empty() && joined);
                if !joined && !word.is_empty() {
                    found.push(std::mem::take(&mut word));
                }
            }
            (false | true, _) => word.push(c),
        }
    }
    if quoted {
        return Err("a double quote is not closed".to_owned());
    }
    if !word.is_empty() {
        found.push(word);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::fault;

    #[test]
    fn lines_that_postgresql_reads() {
        for line in [
            "",
            "# words",
            "host all all 1.2.3.4/32 trust",
            "host all all 1.2.3.4 255.255.255.255 md5 # old",
            "local all postgres peer map=x",
            "hostssl \"a b\",c +d, e samenet cert clientcert=verify-full",
            "include_if_exists more.conf",
        ] {
            assert_eq!(fault(line), None, "{line}");
        }
    }

    #[test]
    fn lines_that_keep_it_from_starting() {
        for (line, want) in [
            ("hosts all all all md5", "begins no line"),
            ("host all all md5", "too few words"),
            ("host all all all magic", "no authentication method"),
            ("host all \"all all md5", "not closed"),
        ] {
            assert!(fault(line).unwrap().contains(want), "{line}");
        }
    }
}
