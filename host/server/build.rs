//! Makes sure that the console's folder is there to be embedded, empty if the console was not built.

fn main() -> std::io::Result<()> {
    let dist = "../../console/dist";
    std::fs::create_dir_all(dist)?;
    println!("cargo::rerun-if-changed=../../console/dist");
    Ok(())
}
