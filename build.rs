//! Lists the catalogue's kinds, so that a kind is added by its two files alone: what the document gives, and its overlay.

#![expect(
    clippy::disallowed_methods,
    reason = "Cargo tells a build script its folders by environment, and makes a half-written file again"
)]

use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("src/catalogue/kinds");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        if let (Some("json"), Some(stem)) =
            (path.extension().and_then(|end| end.to_str()), path.file_stem().and_then(|stem| stem.to_str()))
        // The tool that makes the first must run before the second is there.
        && path.with_extension("toml").exists()
        {
            names.push(stem.to_owned());
        }
    }
    names.sort();
    let one = |name: &String| {
        let file = |end: &str| format!("include_str!({:?})", folder.join(format!("{name}.{end}")));
        format!("Source {{ name: {name:?}, data: {}, overlay: {} }},\n", file("json"), file("toml"))
    };
    let list: String = names.iter().map(one).collect();
    let out = Path::new(&env::var("OUT_DIR")?).join("kinds.rs");
    fs::write(out, format!("static SOURCES: &[Source] = &[\n{list}];\n"))?;
    Ok(())
}
