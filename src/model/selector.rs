//! Selectors of services: the part of JMESPath that Pigsty's inventories use.
//!
//! `[]` takes every member, `[? CONDITION ]` those whose variables fulfil it. Conditions know
//! `==`, `!=`, `||`, `&&`, `!`, parentheses, names of variables, literals in backticks (JSON, or a
//! bare word), in single quotes and in double quotes.

use serde_json::Value;

/// A selector, ready to be asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Selector(Option<Expr>);

#[derive(Clone, Debug, PartialEq)]
enum Expr {
    Variable(String),
    Literal(Value),
    Not(Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Equal(Box<Expr>, Box<Expr>),
}

/// Why a text is no selector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectorError {
    #[error("expected `[]` or `[? CONDITION ]`")]
    Brackets,
    #[error("expected {wanted} at byte {at}, found {found}")]
    Unexpected {
        wanted: &'static str,
        found: String,
        at: usize,
    },
    #[error("the literal that starts at byte {at} has no end")]
    Unterminated { at: usize },
}

impl Selector {
    /// Reads a selector.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        let inner = text
            .trim()
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        match inner.ok_or(SelectorError::Brackets)?.trim() {
            "" | "*" => Ok(Self(None)),
            condition => {
                let condition = condition.strip_prefix('?').ok_or(SelectorError::Brackets)?;
                Parser::new(
                    condition,
                    text.len() - text.trim_start_matches(|c| c != '?').len() + 1,
                )?
                .parse()
                .map(|expr| Self(Some(expr)))
            }
        }
    }

    /// Whether a member with these variables is taken.
    pub fn takes(&self, variable: &dyn Fn(&str) -> Value) -> bool {
        self.0
            .as_ref()
            .is_none_or(|expr| truthy(&expr.value(variable)))
    }
}

impl Expr {
    fn value(&self, variable: &dyn Fn(&str) -> Value) -> Value {
        let truth = |expr: &Self| truthy(&expr.value(variable));
        match self {
            Self::Variable(name) => variable(name),
            Self::Literal(value) => value.clone(),
            Self::Not(inner) => Value::Bool(!truth(inner)),
            Self::And(left, right) => Value::Bool(truth(left) && truth(right)),
            Self::Or(left, right) => Value::Bool(truth(left) || truth(right)),
            Self::Equal(left, right) => {
                Value::Bool(same(&left.value(variable), &right.value(variable)))
            }
        }
    }
}

/// JMESPath: null, false and everything empty is false; every number is true.
fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(truth) => *truth,
        Value::Number(_) => true,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

/// Equal, where `1` and `1.0` are.
fn same(left: &Value, right: &Value) -> bool {
    match (left.as_f64(), right.as_f64()) {
        (Some(left), Some(right)) => left == right,
        _ => left == right,
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Name(String),
    Literal(Value),
    Sign(&'static str),
}

const SIGNS: [&str; 7] = ["==", "!=", "||", "&&", "!", "(", ")"];

struct Parser {
    tokens: Vec<(usize, Token)>,
    next: usize,
    end: usize,
}

impl Parser {
    /// `base` is where the condition starts in the whole selector.
    fn new(text: &str, base: usize) -> Result<Self, SelectorError> {
        let mut tokens = Vec::new();
        let mut at = 0;
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            let blank = rest.len() - rest.trim_start().len();
            at += blank;
            if blank == 0 {
                let (token, length) = token(rest, base + at)?;
                tokens.push((base + at, token));
                at += length;
            }
        }
        Ok(Self {
            tokens,
            next: 0,
            end: base + text.len(),
        })
    }

    fn parse(mut self) -> Result<Expr, SelectorError> {
        let expr = self.or()?;
        match self.tokens.get(self.next) {
            None => Ok(expr),
            Some(_) => Err(self.unexpected("`&&`, `||` or the end")),
        }
    }

    fn or(&mut self) -> Result<Expr, SelectorError> {
        let mut left = self.and()?;
        while self.take("||") {
            left = Expr::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr, SelectorError> {
        let mut left = self.comparison()?;
        while self.take("&&") {
            left = Expr::And(Box::new(left), Box::new(self.comparison()?));
        }
        Ok(left)
    }

    fn comparison(&mut self) -> Result<Expr, SelectorError> {
        let left = self.unary()?;
        let equal = |left, right| Expr::Equal(Box::new(left), Box::new(right));
        if self.take("==") {
            return Ok(equal(left, self.unary()?));
        }
        if self.take("!=") {
            return Ok(Expr::Not(Box::new(equal(left, self.unary()?))));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expr, SelectorError> {
        if self.take("!") {
            return Ok(Expr::Not(Box::new(self.unary()?)));
        }
        if self.take("(") {
            let inner = self.or()?;
            return match self.take(")") {
                true => Ok(inner),
                false => Err(self.unexpected("`)`")),
            };
        }
        self.operand()
    }

    fn operand(&mut self) -> Result<Expr, SelectorError> {
        let expr = match self.tokens.get(self.next) {
            Some((_, Token::Name(name))) => Expr::Variable(name.clone()),
            Some((_, Token::Literal(value))) => Expr::Literal(value.clone()),
            Some((_, Token::Sign(_))) | None => {
                return Err(self.unexpected("a variable or a literal"));
            }
        };
        self.next += 1;
        Ok(expr)
    }

    fn take(&mut self, sign: &str) -> bool {
        let found = matches!(self.tokens.get(self.next), Some((_, Token::Sign(s))) if *s == sign);
        self.next += usize::from(found);
        found
    }

    fn unexpected(&self, wanted: &'static str) -> SelectorError {
        let (at, found) = match self.tokens.get(self.next) {
            None => (self.end, "the end".to_owned()),
            Some((at, Token::Name(name))) => (*at, format!("`{name}`")),
            Some((at, Token::Literal(value))) => (*at, format!("`{value}`")),
            Some((at, Token::Sign(sign))) => (*at, format!("`{sign}`")),
        };
        SelectorError::Unexpected { wanted, found, at }
    }
}

/// The token at the start of a text, and its length in bytes.
fn token(text: &str, at: usize) -> Result<(Token, usize), SelectorError> {
    if let Some(sign) = SIGNS.into_iter().find(|sign| text.starts_with(sign)) {
        return Ok((Token::Sign(sign), sign.len()));
    }
    let first = text.chars().next().unwrap_or(' ');
    if matches!(first, '`' | '\'' | '"') {
        let body = text[1..].split(first).next().unwrap_or_default();
        let length = body.len() + 2;
        return match length > text.len() {
            true => Err(SelectorError::Unterminated { at }),
            false => Ok((Token::Literal(literal(first, body)), length)),
        };
    }
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    match text.find(|c| !word(c)).unwrap_or(text.len()) {
        0 => Err(SelectorError::Unexpected {
            wanted: "a variable, a literal or an operator",
            found: format!("`{first}`"),
            at,
        }),
        length => Ok((Token::Name(text[..length].to_owned()), length)),
    }
}

/// Backticks hold JSON, or, as an old form that Pigsty uses, a bare word.
fn literal(quote: char, body: &str) -> Value {
    let text = || Value::String(body.trim().to_owned());
    match quote {
        '`' => serde_json::from_str(body).unwrap_or_else(|_| text()),
        _ => Value::String(body.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn takes(selector: &str, vars: Value) -> bool {
        let variable = |name: &str| vars.get(name).cloned().unwrap_or(Value::Null);
        Selector::parse(selector).unwrap().takes(&variable)
    }

    #[test]
    fn shipped_selectors() {
        let primary = || json!({"pg_role": "primary"});
        let replica = || json!({"pg_role": "replica", "pg_offline_query": false});
        let reports = || json!({"pg_role": "replica", "pg_offline_query": true});
        let offline = || json!({"pg_role": "offline"});
        let chosen = |selector: &str| {
            [primary(), replica(), reports(), offline()].map(|vars| takes(selector, vars))
        };
        assert_eq!(chosen("[]"), [true; 4]);
        assert_eq!(
            chosen("[? pg_role == `primary` || pg_role == `offline` ]"),
            [true, false, false, true]
        );
        assert_eq!(
            chosen("[? pg_role == `offline` || pg_offline_query ]"),
            [false, false, true, true]
        );
        assert_eq!(
            chosen("[? pg_role == `replica` && !pg_offline_query]"),
            [false, true, false, false]
        );
    }

    #[test]
    fn precedence_and_literals() {
        let vars = || json!({"a": 1, "b": "x", "c": false});
        assert!(takes("[? c && c || a == `1` ]", vars()));
        assert!(!takes("[? c && (c || a == `1`) ]", vars()));
        assert!(takes("[?b=='x' && b != \"y\" && !c]", vars()));
        assert!(takes("[?!(b=='y')]", vars()));
        assert!(!takes("[?unknown]", vars()));
    }

    #[test]
    fn says_what_is_wrong() {
        let error = |text: &str| Selector::parse(text).unwrap_err().to_string();
        assert_eq!(error("pg_role"), "expected `[]` or `[? CONDITION ]`");
        assert_eq!(
            error("[? a == `b ]"),
            "the literal that starts at byte 8 has no end"
        );
        assert_eq!(error("[? (a ]"), "expected `)` at byte 5, found the end");
        assert_eq!(
            error("[? a b ]"),
            "expected `&&`, `||` or the end at byte 5, found `b`"
        );
        assert!(error("[? length(@) ]").starts_with("expected"));
    }
}
