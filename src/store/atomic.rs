//! Files that are whole or absent.

use std::fs::{self, DirBuilder, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use super::StoreError;

/// Writes a file under a temporary name beside its place, syncs it, and renames it. A crash at any instant leaves the
/// old content or the new, never half of either. On Unix the file is its owner's alone (0600).
///
/// # Errors
/// Where the folder cannot be written; the temporary file is gone then.
pub fn write(
    path: &Path,
    content: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<(), StoreError> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let attempt = || -> std::io::Result<()> {
        let mut temporary = tempfile::NamedTempFile::new_in(exists(folder)?)?;
        let mut buffered = BufWriter::new(&mut temporary);
        content(&mut buffered)?;
        buffered.flush()?;
        drop(buffered);
        temporary.as_file().sync_all()?;
        temporary.persist(path).map_err(|error| error.error)?;
        sync_folder(folder)
    };
    attempt().map_err(StoreError::new("write", path))
}

/// Proves that a file can be written at this place, without touching what stands there.
///
/// # Errors
/// Where its folder does not exist or takes no file.
pub fn can_write(path: &Path) -> Result<(), StoreError> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let attempt = || tempfile::tempfile_in(exists(folder)?).map(drop);
    attempt().map_err(StoreError::new("write", path))
}

/// The system's own error would name the temporary file, which nobody knows.
fn exists(folder: &Path) -> std::io::Result<&Path> {
    let missing = || {
        std::io::Error::new(std::io::ErrorKind::NotFound, format!("there is no folder {}", folder.display()))
    };
    if folder.is_dir() { Ok(folder) } else { Err(missing()) }
}

/// Makes a rename in this folder durable. Where folders cannot be opened (Windows) the system does it by itself.
///
/// # Errors
/// Where the folder cannot be synced.
pub fn sync_folder(folder: &Path) -> std::io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Makes a folder and what is missing above it, its owner's alone (0700) on Unix.
///
/// # Errors
/// Where it cannot be made.
pub fn make_folder(path: &Path) -> Result<(), StoreError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(StoreError::new("create", path))
}

/// Reads a text file; `None` where there is none.
///
/// # Errors
/// Where it exists and cannot be read.
pub fn read(path: &Path) -> Result<Option<String>, StoreError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::new("read", path)(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_content_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write(&path, |out| out.write_all(b"old")).unwrap();
        let failed = write(&path, |out| {
            out.write_all(b"half")?;
            Err(std::io::Error::other("disk full"))
        });
        assert!(failed.unwrap_err().to_string().contains("disk full"));
        assert_eq!(read(&path).unwrap().as_deref(), Some("old"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
