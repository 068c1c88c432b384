//! Lists and mappings.

use super::{json, refuse, value};
use minijinja::value::{Kwargs, Rest};
use minijinja::{Environment, Error, Value};
use serde_json::{Map, Value as Json, json as object};

pub(super) fn register(env: &mut Environment<'static>) {
    env.add_filter("dict2items", dict2items);
    env.add_filter("items2dict", items2dict);
    env.add_filter("combine", combine);
    env.add_filter("extract", |key: &Value, from: &Value| from.get_item(key));
    env.add_filter("union", union);
    env.add_filter("difference", difference);
    env.add_filter("intersect", intersect);
    env.add_filter("symmetric_difference", symmetric_difference);
    env.add_filter("flatten", flatten);
    env.add_test("subset", |a: &Value, b: &Value| contains_all(b, a));
    env.add_test("superset", |a: &Value, b: &Value| contains_all(a, b));
    env.add_test("contains", |list: &Value, item: &Value| {
        Ok::<_, Error>(items(list)?.contains(&json(item)?))
    });
}

fn items(list: &Value) -> Result<Vec<Json>, Error> {
    match json(list)? {
        Json::Array(items) => Ok(items),
        _ => Err(refuse(format!("wants a list, not {}", list.kind()))),
    }
}

fn mapping(input: &Value) -> Result<Map<String, Json>, Error> {
    match json(input)? {
        Json::Object(map) => Ok(map),
        _ => Err(refuse(format!("wants a mapping, not {}", input.kind()))),
    }
}

fn dict2items(input: &Value) -> Result<Value, Error> {
    let pairs = mapping(input)?.into_iter();
    let items = pairs.map(|(key, item)| object!({"key": key, "value": item}));
    Ok(value(items.collect()))
}

fn items2dict(input: &Value, options: Kwargs) -> Result<Value, Error> {
    let name = |option, default: &str| -> Result<String, Error> {
        Ok(options
            .get::<Option<String>>(option)?
            .unwrap_or_else(|| default.to_owned()))
    };
    let (key_name, value_name) = (name("key_name", "key")?, name("value_name", "value")?);
    options.assert_all_used()?;
    let mut map = Map::new();
    for item in items(input)? {
        let key = item.get(&key_name).and_then(Json::as_str);
        let key = key.ok_or_else(|| refuse(format!("an item has no text under `{key_name}`")))?;
        map.insert(
            key.to_owned(),
            item.get(&value_name).cloned().unwrap_or(Json::Null),
        );
    }
    Ok(value(Json::Object(map)))
}

fn combine(first: &Value, others: Rest<Value>, options: Kwargs) -> Result<Value, Error> {
    let deep = options.get::<Option<bool>>("recursive")?.unwrap_or(false);
    options.assert_all_used()?;
    let mut merged = mapping(first)?;
    for other in others.iter() {
        merge(&mut merged, mapping(other)?, deep);
    }
    Ok(value(Json::Object(merged)))
}

fn merge(into: &mut Map<String, Json>, from: Map<String, Json>, deep: bool) {
    for (key, item) in from {
        match (into.get_mut(&key), item) {
            (Some(Json::Object(old)), Json::Object(new)) if deep => merge(old, new, deep),
            (_, item) => {
                into.insert(key, item);
            }
        }
    }
}

fn distinct(items: impl IntoIterator<Item = Json>) -> Value {
    let mut seen: Vec<Json> = Vec::new();
    for item in items {
        if !seen.contains(&item) {
            seen.push(item);
        }
    }
    value(Json::Array(seen))
}

fn union(a: &Value, b: &Value) -> Result<Value, Error> {
    Ok(distinct(items(a)?.into_iter().chain(items(b)?)))
}

fn difference(a: &Value, b: &Value) -> Result<Value, Error> {
    let without = items(b)?;
    Ok(distinct(
        items(a)?.into_iter().filter(|item| !without.contains(item)),
    ))
}

fn intersect(a: &Value, b: &Value) -> Result<Value, Error> {
    let with = items(b)?;
    Ok(distinct(
        items(a)?.into_iter().filter(|item| with.contains(item)),
    ))
}

fn symmetric_difference(a: &Value, b: &Value) -> Result<Value, Error> {
    let (a, b) = (items(a)?, items(b)?);
    let only_a = a.iter().filter(|item| !b.contains(item));
    let only_b = b.iter().filter(|item| !a.contains(item));
    Ok(distinct(only_a.chain(only_b).cloned()))
}

fn flatten(list: &Value) -> Result<Value, Error> {
    fn walk(items: Vec<Json>, out: &mut Vec<Json>) {
        for item in items {
            match item {
                Json::Array(inner) => walk(inner, out),
                Json::Null
                | Json::Bool(_)
                | Json::Number(_)
                | Json::String(_)
                | Json::Object(_) => {
                    out.push(item);
                }
            }
        }
    }
    let mut out = Vec::new();
    walk(items(list)?, &mut out);
    Ok(value(Json::Array(out)))
}

fn contains_all(whole: &Value, part: &Value) -> Result<bool, Error> {
    let whole = items(whole)?;
    Ok(items(part)?.iter().all(|item| whole.contains(item)))
}
