//! A disk whose power can be cut: an ext4 image on a loop device and ext4's own shutdown call, which throws away all
//! that was not flushed. The call is made by a few lines of C, because a fresh Rust machine has a C compiler.
//!
//! Real power takes the machine with it; here the machine lives on and may answer. Whoever flushes while the call is
//! being made may be told that it is done although it is not (Linux 6.18: 40 of 400 cuts under a program that does nothing
//! but append and flush), because the journal finishes an aborted transaction before its waiter looks for it. So each
//! outage is kept with its moments, and the judge tells answers of before from answers of meanwhile.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// EXT4_IOC_SHUTDOWN with NOLOGFLUSH: the journal is not written either. Says when it called, in nanoseconds since 1970.
const CUT_C: &str = "#include <fcntl.h>\n#include <stdint.h>\n#include <stdio.h>\n#include <sys/ioctl.h>\n#include <time.h>\n\
    int main(int count, char **words) {\n  uint32_t how = 2;\n  int folder = count == 2 ? open(words[1], O_RDONLY) : -1;\n\
    struct timespec now;\n  clock_gettime(CLOCK_REALTIME, &now);\n\
    if (folder < 0 || ioctl(folder, 0x8004587dUL, &how) != 0) { perror(\"shutdown\"); return 1; }\n\
    printf(\"%lld\\n\", now.tv_sec * 1000000000LL + now.tv_nsec);\n  return 0;\n}\n";

/// One time without power.
#[derive(Clone, Copy, Debug)]
pub struct Outage {
    /// Before the call that cut it.
    pub went: SystemTime,
    pub back: SystemTime,
}

/// The disk, unmounted when it goes out of scope.
pub struct Disk {
    image: PathBuf,
    pub folder: PathBuf,
    cutter: PathBuf,
    mounted: bool,
    went: Option<SystemTime>,
    pub outages: Vec<Outage>,
}

fn run(program: &str, words: &[&str]) -> Result<String, String> {
    let done = Command::new(program).args(words).output().map_err(|e| format!("{program}: {e}"))?;
    let said = String::from_utf8_lossy(&done.stderr).trim().to_owned();
    if done.status.success() {
        Ok(String::from_utf8_lossy(&done.stdout).into_owned())
    } else {
        Err(format!("{program} {}: {said}", words.join(" ")))
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("the rig's folders have plain names")
}

impl Disk {
    /// Makes and mounts one, and proves on two files that a cut loses what was not flushed and only that.
    pub fn new(home: &Path) -> Result<Self, String> {
        let (image, folder, cutter) = (home.join("disk.img"), home.join("disk"), home.join("cut"));
        fs::create_dir_all(&folder).map_err(|e| e.to_string())?;
        fs::write(home.join("cut.c"), CUT_C).map_err(|e| e.to_string())?;
        run("cc", &["-o", text(&cutter), text(&home.join("cut.c"))])?;
        run("truncate", &["-s", "1G", text(&image)])?;
        run("mkfs.ext4", &["-q", "-F", "-E", "lazy_itable_init=1,lazy_journal_init=1", text(&image)])?;
        let mut disk = Self { image, folder, cutter, mounted: false, went: None, outages: vec![] };
        disk.mount()?;
        disk.prove()?;
        Ok(disk)
    }

    fn prove(&mut self) -> Result<(), String> {
        let (kept, gone) = (self.folder.join("flushed"), self.folder.join("not-flushed"));
        fs::write(&kept, "x").map_err(|e| e.to_string())?;
        run("sync", &["-f", text(&self.folder)])?;
        fs::write(&gone, "x").map_err(|e| e.to_string())?;
        self.cut()?;
        self.remount()?;
        match (kept.exists(), gone.exists()) {
            (true, false) => Ok(()),
            found => Err(format!("the cut does not cut: (flushed, not flushed) are there: {found:?}")),
        }
    }

    fn mount(&mut self) -> Result<(), String> {
        run("mount", &["-o", "loop", text(&self.image), text(&self.folder)])?;
        self.mounted = true;
        Ok(())
    }

    /// From here on nothing reaches the disk.
    pub fn cut(&mut self) -> Result<(), String> {
        let said = run(text(&self.cutter), &[text(&self.folder)])?;
        let went = said.trim().parse().map_err(|e| format!("the cutter says {said:?}, expected nanoseconds: {e}"))?;
        self.went = Some(UNIX_EPOCH + Duration::from_nanos(went));
        Ok(())
    }

    /// Power is back: the file system recovers by its own journal.
    #[expect(clippy::disallowed_methods, reason = "the rig has a clock of its own")]
    pub fn remount(&mut self) -> Result<(), String> {
        let back = SystemTime::now();
        self.outages.extend(self.went.take().map(|went| Outage { went, back }));
        run("umount", &[text(&self.folder)])?;
        self.mounted = false;
        self.mount()
    }
}

/// The times without power of a disk, if there is one.
pub fn outages(disk: Option<&Disk>) -> &[Outage] {
    disk.map_or(&[], |disk| &disk.outages)
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.mounted
            && let Err(why) = run("umount", &[text(&self.folder)])
        {
            eprintln!("rig: {why}");
        }
    }
}
