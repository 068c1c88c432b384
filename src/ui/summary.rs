//! The table of hosts at the end of a run.

use super::words::bytes;
use crate::event::HostTotals;
use comfy_table::{CellAlignment, Table, presets};

/// One row for each host; with `traffic` also round trips and bytes.
pub fn summary(hosts: &[HostTotals], traffic: bool) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let mut header = vec!["host", "ok", "changed", "failed", "unreachable", "seconds"];
    if traffic {
        header.extend(["connections", "execs", "tunnels", "in", "out"]);
    }
    let columns = header.len();
    table.set_header(header);
    for host in hosts {
        let mut row = vec![
            host.host.to_string(),
            host.ok.to_string(),
            host.changed.to_string(),
            host.failed.to_string(),
            u8::from(host.unreachable).to_string(),
            format!("{:.1}", host.seconds),
        ];
        if traffic {
            let t = host.traffic;
            row.extend([
                t.connections.to_string(),
                t.execs.to_string(),
                t.tunnels.to_string(),
                bytes(t.bytes_in),
                bytes(t.bytes_out),
            ]);
        }
        table.add_row(row);
    }
    for index in 1..columns {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let lines: Vec<String> = table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect();
    format!("{}\n", lines.join("\n"))
}
