//! What was written to Patroni's dynamic configuration is taken back where no server could start with it.

use super::{GroupWork, POLL};
use crate::engine::EngineError;
use serde_json::{Map, Value};
use std::time::{Duration, Instant};

impl GroupWork<'_> {
    /// The patch that brings back what stood there before another one; nothing where nobody tells.
    pub(super) async fn before(&self, patch: &Value) -> Option<Value> {
        let leader = self.leader().await.ok()?;
        let member = self.member(&leader).ok()?;
        let text = self.ask(member, "GET", "/config", Value::Null).await.ok()?;
        let config: Value = serde_json::from_str(&text).ok()?;
        Some(inverse(patch, Some(&config)))
    }

    /// Takes changes back, the last one first, and says so beside the error.
    pub(super) async fn taken_back(&self, undo: &[Value], error: EngineError) -> EngineError {
        let mut back = !undo.is_empty();
        for patch in undo.iter().rev() {
            back = back && self.write(patch).await.is_ok();
        }
        if back {
            self.nobody_waits().await;
        }
        match error {
            EngineError::Group { cluster, detail } if back => EngineError::Group {
                cluster,
                detail: format!(
                    "{detail}; Patroni's configuration is as it was before: correct the inventory, then `citusctl apply`"
                ),
            },
            error => error,
        }
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
}
