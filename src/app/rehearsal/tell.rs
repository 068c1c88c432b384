//! How it ended: the verdict, the page, the lab.

use super::{Rehearsing, mirror};
use crate::app::failure::{Failure, chain, code, pretty, result, say};
use crate::ui::rehearsal_view::{rehearsal_page, rehearsal_view};

impl Rehearsing<'_> {
    /// Takes the lab down unless it is wanted, and tells.
    pub(super) async fn end(mut self, ended: Result<(), Failure>) -> Result<u8, Failure> {
        let mut interrupted = false;
        if let Err(failure) = ended {
            interrupted = failure.code == code::DECLINED;
            self.report.problems.push(failure.text);
        }
        if !self.request.keep {
            if let Err(failure) = self.children.down().await {
                self.report.problems.push(format!(
                    "the lab {} is left behind: {}",
                    self.request.lab, failure.text
                ));
            } else if let Some(dir) = self.children.inventory.parent() {
                mirror::remove(dir).map_err(|error| Failure::new(code::INTERNAL, chain(&error)))?;
            }
        }
        let bad = |proof: &str| matches!(proof, "fails" | "unknown");
        let restored = self.report.rto_seconds.is_some();
        self.report.ok = restored
            && self.report.problems.is_empty()
            && !self.report.proofs.iter().any(|it| bad(&it.proof));
        self.report.seconds = self.now();
        self.tell()?;
        Ok(match (interrupted, self.report.ok) {
            (true, _) => code::DECLINED,
            (false, true) => code::DONE,
            (false, false) => code::INTERNAL,
        })
    }

    fn tell(&self) -> Result<(), Failure> {
        let failed = |error: std::io::Error| Failure::new(code::INTERNAL, chain(&error));
        match self.options.json {
            true => result(&pretty(&self.report)?)?,
            false => result(&rehearsal_view(&self.report))?,
        }
        if self.request.proves {
            let page = self.request.html.clone();
            let page = page.unwrap_or_else(|| {
                self.project
                    .state_dir
                    .join("drills")
                    .join(format!("{}-restore.html", self.report.run))
            });
            if let Some(directory) = page.parent() {
                fs_err::create_dir_all(directory).map_err(failed)?;
            }
            fs_err::write(&page, rehearsal_page(&self.report)).map_err(failed)?;
            if !self.options.quiet {
                say(&format!("page: {}", page.display()));
            }
        }
        if self.request.keep && !self.options.quiet {
            let (lab, inventory) = (&self.request.lab, self.children.inventory.display());
            say(&format!(
                "the lab stays: citusctl --lab={lab} status -i {inventory}\nremove it: citusctl lab down --name {lab}"
            ));
        }
        Ok(())
    }
}
