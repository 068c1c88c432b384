//! The table of hosts at the end of a run.

use crate::event::HostTotals;
use crate::names::words::bytes;
use comfy_table::{CellAlignment, Table, presets};

/// One row for each host; with `traffic` also round trips and bytes.
pub fn summary(hosts: &[HostTotals], traffic: bool) -> String {
    let mut header = vec!["host", "ok", "changed", "failed", "unreachable", "seconds"];
    if traffic {
        header.extend(["connections", "execs", "tunnels", "in", "out"]);
    }
    table(&header, 1, hosts.iter().map(|host| row(host, traffic)))
}

fn row(host: &HostTotals, traffic: bool) -> Vec<String> {
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
    row
}

/// Aligned columns without borders; from column `numbers` on they are set to the right.
pub(super) fn table(
    header: &[&str],
    numbers: usize,
    rows: impl Iterator<Item = Vec<String>>,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(header.to_vec());
    rows.for_each(|row| {
        table.add_row(row);
    });
    for index in 0..header.len() {
        if let Some(column) = table.column_mut(index) {
            // The outer space belongs to borders, and there are none.
            column.set_padding((0, 2));
            if index >= numbers {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
    }
    let lines = table.lines().map(|line| line.trim_end().to_owned());
    format!("{}\n", lines.collect::<Vec<_>>().join("\n"))
}
