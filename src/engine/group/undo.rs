//! What was written to Patroni's dynamic configuration is taken back where no server could start with it.

use super::{GroupWork, POLL};
use crate::engine::EngineError;
use serde_json::{Map, Value};
use std::time::{Duration, Instant};

impl GroupWork<'_> {
    /// The patch that brings back what stood there before another one.
    pub(super) async fn before(&self, patch: &Value) -> Result<Value, EngineError> {
        Ok(inverse(patch, Some(&self.config().await?)))
    }

    /// Takes changes back, the last one first, reads the configuration, and says what it holds beside the error.
    pub(super) async fn taken_back(&self, undo: &[Value], error: EngineError) -> EngineError {
        let EngineError::Group { cluster, detail } = error else {
            return error;
        };
        if undo.is_empty() {
            return EngineError::Group { cluster, detail };
        }
        let now = match self.take_back(undo).await {
            Ok(()) => {
                self.nobody_waits().await;
                "Patroni's configuration is as it was before: correct the inventory, then `citusctl apply`".to_owned()
            }
            Err(why) => format!(
                "Patroni's configuration was not taken back ({why}): correct the inventory, then `citusctl apply`, before anything restarts"
            ),
        };
        EngineError::Group {
            cluster,
            detail: format!("{detail}; {now}"),
        }
    }

    async fn take_back(&self, undo: &[Value]) -> Result<(), String> {
        let mut wanted = Value::Object(Map::new());
        for patch in undo.iter().rev() {
            self.write(patch).await.map_err(|error| error.to_string())?;
            merge(&mut wanted, patch);
        }
        let config = self.config().await.map_err(|error| error.to_string())?;
        match differs(&wanted, Some(&config), "") {
            None => Ok(()),
            Some(key) => Err(format!("`{key}` holds the new value")),
        }
    }

    async fn config(&self) -> Result<Value, EngineError> {
        let leader = self.leader().await?;
        let member = self.member(&leader)?;
        let text = self.ask(member, "GET", "/config", Value::Null).await?;
        serde_json::from_str(&text)
            .map_err(|error| self.failed(format!("Patroni's configuration: {error}")))
    }

    /// Gives Patroni a loop to see that nothing waits for a restart any more.
    async fn nobody_waits(&self) {
        let limit = Duration::from_secs(u64::from(self.group.rto.loop_wait) + 2);
        let started = Instant::now();
        while started.elapsed() < limit {
            match self.seen().await {
                Ok(seen) if seen.pending().count() == 0 => return,
                Ok(_) | Err(_) => tokio::time::sleep(POLL).await,
            }
        }
    }

    async fn write(&self, patch: &Value) -> Result<(), EngineError> {
        let leader = self.leader().await?;
        let member = self.member(&leader)?;
        self.ask(member, "PATCH", "/config", patch.clone()).await?;
        Ok(())
    }
}

/// For each value of a patch the one that stood there; null takes out what is new.
fn inverse(patch: &Value, before: Option<&Value>) -> Value {
    let Value::Object(patch) = patch else {
        return before.cloned().unwrap_or(Value::Null);
    };
    let Some(Value::Object(before)) = before else {
        return before.cloned().unwrap_or(Value::Null);
    };
    let entries = patch
        .iter()
        .map(|(key, value)| (key.clone(), inverse(value, before.get(key))));
    Value::Object(entries.collect::<Map<_, _>>())
}

/// Lays a patch over another one.
fn merge(under: &mut Value, patch: &Value) {
    match (under, patch) {
        (Value::Object(under), Value::Object(patch)) => {
            for (key, value) in patch {
                merge(under.entry(key).or_insert(Value::Null), value);
            }
        }
        (under, patch) => *under = patch.clone(),
    }
}

/// The first key of a patch that a configuration does not hold as the patch says; null means absent.
fn differs(patch: &Value, config: Option<&Value>, path: &str) -> Option<String> {
    match (patch, config) {
        (Value::Null, None | Some(Value::Null)) => None,
        (Value::Object(patch), config) => patch.iter().find_map(|(key, value)| {
            let path = match path {
                "" => key.clone(),
                path => format!("{path}.{key}"),
            };
            differs(value, config.and_then(|config| config.get(key)), &path)
        }),
        (value, Some(config)) if value == config => None,
        (_, _) => Some(path.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_patch_is_taken_back_value_by_value() {
        let before = json!({"ttl": 30, "postgresql": {"parameters": {"shared_buffers": "1GB", "jit": "off"}}});
        let patch = json!({"postgresql": {"parameters": {"shared_buffers": "900GB", "work_mem": "1MB"}}, "loop_wait": 5});
        assert_eq!(
            inverse(&patch, Some(&before)),
            json!({"postgresql": {"parameters": {"shared_buffers": "1GB", "work_mem": null}}, "loop_wait": null})
        );
        assert_eq!(
            inverse(&json!({"a": {"b": 1}}), Some(&json!({}))),
            json!({"a": null})
        );
    }

    #[test]
    fn what_is_still_the_new_value_is_named() {
        let back =
            json!({"postgresql": {"parameters": {"shared_buffers": "1GB", "work_mem": null}}});
        let old = json!({"ttl": 30, "postgresql": {"parameters": {"shared_buffers": "1GB"}}});
        assert_eq!(differs(&back, Some(&old), ""), None);
        let new =
            json!({"postgresql": {"parameters": {"shared_buffers": "1GB", "work_mem": "1MB"}}});
        let key = differs(&back, Some(&new), "");
        assert_eq!(key.as_deref(), Some("postgresql.parameters.work_mem"));
    }

    #[test]
    fn the_oldest_value_of_a_key_counts() {
        let mut wanted = json!({});
        merge(&mut wanted, &json!({"a": {"b": 2}}));
        merge(&mut wanted, &json!({"a": {"b": 1}}));
        assert_eq!(wanted, json!({"a": {"b": 1}}));
    }
}
