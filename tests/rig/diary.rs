//! The driver's own journal: what it sent and what it heard, in a file before it believes either.

use crate::plan::{Job, Payment};
use crate::wire::Heard;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// All payments of a run with all that was heard of them.
pub struct Diary {
    file: BufWriter<File>,
    pub payments: Vec<Payment>,
    /// By payment: (variant, what was heard), in the order in which it was heard.
    pub heard: Vec<Vec<(usize, Heard)>>,
    /// Was it ever sent?
    pub sent: Vec<bool>,
}

impl Diary {
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { file: BufWriter::new(File::create(path)?), payments: vec![], heard: vec![], sent: vec![] })
    }

    /// Takes up new payments; answers the number of the first.
    pub fn take_up(&mut self, payments: Vec<Payment>) {
        for payment in payments {
            self.payments.push(payment);
            self.heard.push(Vec::new());
            self.sent.push(false);
        }
    }

    /// Before a call goes out.
    pub fn sends(&mut self, job: Job) -> io::Result<()> {
        writeln!(self.file, "send {} {}", job.payment, job.variant)?;
        self.file.flush()?;
        if let Some(sent) = self.sent.get_mut(job.payment) {
            *sent = true;
        }
        Ok(())
    }

    /// After its reply came, or did not.
    pub fn hears(&mut self, job: Job, heard: Heard) -> io::Result<()> {
        writeln!(self.file, "hear {} {} {heard:?}", job.payment, job.variant)?;
        self.file.flush()?;
        if let Some(all) = self.heard.get_mut(job.payment) {
            all.push((job.variant, heard));
        }
        Ok(())
    }

    /// To the disk: at the end of a cycle.
    pub fn sync(&mut self) -> io::Result<()> {
        self.file.flush()?;
        self.file.get_ref().sync_data()
    }

    /// Sent, and no final word on anything it says.
    pub fn unanswered(&self) -> Vec<Job> {
        let mut jobs = Vec::new();
        for (payment, heard) in self.heard.iter().enumerate() {
            let sent = self.sent.get(payment).copied().unwrap_or(false);
            let settled = heard.iter().any(|(_, h)| h.taken());
            if sent && !settled {
                let variants = self.payments.get(payment).map_or(0, |p| p.amounts.len());
                jobs.extend((0..variants).map(|variant| Job { payment, variant }));
            }
        }
        jobs
    }

    /// The last `count` payments whose sender believes them taken, as they were said then.
    pub fn last_taken(&self, count: usize) -> Vec<Job> {
        let taken = self.heard.iter().enumerate().rev().filter_map(|(payment, heard)| {
            let (variant, _) = heard.iter().find(|(_, h)| h.taken())?;
            Some(Job { payment, variant: *variant })
        });
        taken.take(count).collect()
    }
}
