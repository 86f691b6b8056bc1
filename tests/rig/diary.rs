//! The driver's own journal: what it sent and what it heard, in a file before it believes either.

use crate::plan::{Job, Payment};
use crate::wire::Heard;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::SystemTime;

/// What was heard of a call.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// Of the payment's contents, the one that was said.
    pub variant: usize,
    pub heard: Heard,
    /// The connection it came on: it has one call at a time.
    pub caller: usize,
    pub at: SystemTime,
}

/// All payments of a run with all that was heard of them.
pub struct Diary {
    file: BufWriter<File>,
    pub payments: Vec<Payment>,
    /// By payment, in the order in which it was heard.
    pub heard: Vec<Vec<Answer>>,
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
    pub fn hears(&mut self, payment: usize, answer: Answer) -> io::Result<()> {
        writeln!(self.file, "hear {payment} {answer:?}")?;
        self.file.flush()?;
        if let Some(all) = self.heard.get_mut(payment) {
            all.push(answer);
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
            let settled = heard.iter().any(|answer| answer.heard.taken());
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
            let taken = heard.iter().find(|answer| answer.heard.taken())?;
            Some(Job { payment, variant: taken.variant })
        });
        taken.take(count).collect()
    }
}
