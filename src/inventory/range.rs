//! Host ranges of an inventory: `db[01:10]`, `db[a:f]`, `db[0:8:2]`, several in one name.

/// All names that a written name stands for.
///
/// # Errors
/// A range that is empty, runs backwards or mixes letters and numbers; the text says which.
pub(super) fn expand(name: &str) -> Result<Vec<String>, String> {
    let Some(open) = name.find('[') else {
        return Ok(vec![name.to_owned()]);
    };
    let Some(length) = name[open..].find(']') else {
        return Err(format!("`{name}` has a `[` without a `]`"));
    };
    let (head, body) = (&name[..open], &name[open + 1..open + length]);
    if !body.contains(':') {
        return Err(format!("`[{body}]` is not a range; write `[FROM:TO]`"));
    }
    let middles = steps(body)?;
    let tails = expand(&name[open + length + 1..])?;
    let names = middles.iter().flat_map(|middle| {
        let tails = tails.iter();
        tails.map(move |tail| format!("{head}{middle}{tail}"))
    });
    Ok(names.collect())
}

/// The most names one range may stand for.
const MOST: usize = 65_536;

fn steps(body: &str) -> Result<Vec<String>, String> {
    let parts: Vec<&str> = body.split(':').collect();
    let (from, to, step) = match parts.as_slice() {
        [from, to] => (*from, *to, "1"),
        [from, to, step] => (*from, *to, *step),
        _ => return Err(format!("`[{body}]` is not a range; write `[FROM:TO]`")),
    };
    let step: usize = step
        .parse()
        .map_err(|_| format!("`{step}` is not a step"))?;
    if step == 0 {
        return Err(format!("`[{body}]` has a step of 0"));
    }
    let from = if from.is_empty() { "0" } else { from };
    match (single_letter(from), single_letter(to)) {
        (Some(first), Some(last)) => letters(first, last, step, body),
        _ => numbers(from, to, step, body),
    }
}

fn single_letter(text: &str) -> Option<char> {
    let mut chars = text.chars();
    let only = chars.next().filter(char::is_ascii_alphabetic)?;
    chars.next().is_none().then_some(only)
}

fn letters(first: char, last: char, step: usize, body: &str) -> Result<Vec<String>, String> {
    if first > last {
        return Err(format!("the range `[{body}]` runs backwards"));
    }
    Ok((first..=last).step_by(step).map(String::from).collect())
}

/// A leading zero in the start fixes the width of all.
fn numbers(from: &str, to: &str, step: usize, body: &str) -> Result<Vec<String>, String> {
    let number = |text: &str| {
        let parsed = text.parse::<usize>();
        parsed.map_err(|_| format!("`{text}` in `[{body}]` is not a number"))
    };
    let (first, last) = (number(from)?, number(to)?);
    if first > last {
        return Err(format!("the range `[{body}]` runs backwards"));
    }
    if (last - first) / step >= MOST {
        return Err(format!("the range `[{body}]` has more than {MOST} names"));
    }
    let width = if from.len() > 1 && from.starts_with('0') {
        from.len()
    } else {
        0
    };
    let names = (first..=last).step_by(step).map(|n| format!("{n:0width$}"));
    Ok(names.collect())
}
