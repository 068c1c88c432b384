//! What the inventory means, as plain values.
