//! JavaScript and Python projects: each carries a build script of its own, so that an author can change how it is built.
//! It is asked to write one component to the file it is given; which tools it uses is its own business.

use super::{Options, not_started, tool};
use crate::{Error, project::Project};
use std::{fs, process::Command};

/// `node build.mjs --out FILE`; the script calls componentize-js.
pub(super) fn javascript(project: &Project, options: &Options) -> Result<Vec<u8>, Error> {
    let mut node = tool("node", &project.dir);
    node.arg("build.mjs");
    run(node, "node", "install Node.js 20 or newer, with npm", project, options)
}

/// `python3 build.py --out FILE`, or a shell script of that name; it calls componentize-py.
pub(super) fn python(project: &Project, options: &Options) -> Result<Vec<u8>, Error> {
    let (program, script) = if project.dir.join("build.py").exists() {
        ("python3", "build.py")
    } else {
        ("sh", "build.sh")
    };
    let mut command = tool(program, &project.dir);
    command.arg(script);
    run(
        command,
        program,
        "install Python 3.11 or newer, with venv",
        project,
        options,
    )
}

fn run(mut command: Command, name: &str, hint: &str, project: &Project, options: &Options) -> Result<Vec<u8>, Error> {
    let folder = match &options.afresh_in {
        Some(folder) => folder.clone(),
        None => project.dir.join("dist"),
    };
    fs::create_dir_all(&folder).map_err(Error::file(&folder))?;
    let folder = folder.canonicalize().map_err(Error::file(&folder))?;
    let out = folder.join("component.wasm");
    // A script that writes nothing must not pass off what an earlier run wrote.
    if out.exists() {
        fs::remove_file(&out).map_err(Error::file(&out))?;
    }
    command.arg("--out").arg(&out);
    if options.debug {
        command.env("AISTACK_DEBUG", "1");
    }
    // Standard output belongs to this program's own answer.
    let output = command
        .stderr(std::process::Stdio::inherit())
        .output()
        .map_err(|e| not_started(name, &e, hint))?;
    let _ = std::io::Write::write_all(&mut std::io::stderr(), &output.stdout);
    if !output.status.success() {
        return Err(Error::Build {
            what: format!("the build script ended with {}", output.status),
            hint: hint.to_owned(),
        });
    }
    let bytes = fs::read(&out).map_err(|_| Error::Build {
        what: "the build script wrote no component".to_owned(),
        hint: format!("it has to write to the file it is given: {}", out.display()),
    })?;
    fs::remove_file(&out).map_err(Error::file(&out))?;
    Ok(bytes)
}
