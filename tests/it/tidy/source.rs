//! A source file as the rules need it: its module path, its imports and names, and the types that it defines. Tests
//! are left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use syn::visit::{self, Visit};
use syn::{Attribute, ImplItem, Item, UseTree};

/// The segments of a path such as `std::env::var` or `crate::oauth::clients`.
pub(super) type Segments = Vec<String>;

pub(super) struct Source {
    /// The path relative to `src/`.
    pub(super) file: String,
    /// For example `["crate", "oauth", "clients"]`.
    pub(super) module: Segments,
    /// The imports from `crate`, `super` or `self`, as absolute paths.
    pub(super) imports: BTreeSet<Segments>,
    /// Every path in the file, imported or written out, with imported names resolved.
    pub(super) paths: BTreeSet<Segments>,
    /// Type definitions at the top level of the file.
    pub(super) types: BTreeSet<String>,
    /// Modules that the file declares for tests or fuzzing only.
    test_modules: Vec<Segments>,
}

impl Source {
    pub(super) fn read_all(root: &Path) -> Vec<Self> {
        let mut sources = Vec::new();
        let mut directories = vec![root.to_owned()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    directories.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let file = path.strip_prefix(root).unwrap().to_str().unwrap();
                    sources.push(Self::parse(file, &fs::read_to_string(&path).unwrap()));
                }
            }
        }
        Self::without_tests(sources)
    }

    /// Leaves out the files whose module is declared under `#[cfg(test)]` or `#[cfg(fuzzing)]`.
    pub(super) fn without_tests(sources: Vec<Self>) -> Vec<Self> {
        let tests: Vec<_> = sources
            .iter()
            .flat_map(|source| source.test_modules.clone())
            .collect();
        sources
            .into_iter()
            .filter(|source| !tests.iter().any(|test| source.module.starts_with(test)))
            .collect()
    }

    pub(super) fn parse(file: &str, text: &str) -> Self {
        let syntax = syn::parse_file(text).unwrap_or_else(|error| panic!("{file}: {error}"));
        let module: Segments = std::iter::once("crate")
            .chain(file.trim_end_matches(".rs").split('/'))
            .filter(|segment| !matches!(*segment, "lib" | "main"))
            .map(str::to_owned)
            .collect();
        let items = || syntax.items.iter().filter(|item| !is_for_tests(attributes(item)));

        let mut reader = Reader::default();
        items().for_each(|item| reader.visit_item(item));

        let absolute = |path: &Segments| absolute(&module, path);
        let imports: Vec<_> = reader
            .imports
            .iter()
            .map(|(name, path)| (name.clone(), absolute(path)))
            .collect();
        let names: BTreeMap<_, _> = imports.iter().cloned().collect();
        let resolve = |path: Segments| match path.first().and_then(|first| names.get(first)) {
            Some(start) => [start, path.get(1..).unwrap_or_default()].concat(),
            None => absolute(&path),
        };
        Self {
            imports: imports
                .iter()
                .map(|(_, path)| path.clone())
                .filter(|path| path.first().is_some_and(|first| first == "crate"))
                .collect(),
            paths: reader
                .paths
                .into_iter()
                .map(resolve)
                .chain(imports.iter().map(|(_, path)| path.clone()))
                .collect(),
            types: items().filter_map(type_name).collect(),
            test_modules: syntax
                .items
                .iter()
                .filter_map(|item| match item {
                    Item::Mod(declared) if is_for_tests(&declared.attrs) => Some(declared.ident.to_string()),
                    _ => None,
                })
                .map(|name| [module.as_slice(), &[name]].concat())
                .collect(),
            file: file.to_owned(),
            module,
        }
    }
}

/// Resolves `self` and `super` against the module; other paths stay.
fn absolute(module: &[String], path: &[String]) -> Segments {
    let ups = path.iter().take_while(|segment| *segment == "super").count();
    let selves = path.iter().take_while(|segment| *segment == "self").count();
    let (start, rest) = match (selves, ups) {
        (1, _) => (module, path.get(1..)),
        (_, ups) if ups > 0 => (
            module.get(..module.len().saturating_sub(ups)).unwrap_or_default(),
            path.get(ups..),
        ),
        _ => (&[][..], Some(path)),
    };
    [start, rest.unwrap_or_default()].concat()
}

fn type_name(item: &Item) -> Option<String> {
    let name = match item {
        Item::Struct(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Union(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("cfg"))
        .filter_map(|attribute| attribute.meta.require_list().ok())
        .any(|list| matches!(list.tokens.to_string().as_str(), "test" | "fuzzing"))
}

#[derive(Default)]
struct Reader {
    /// The name in this file, and the path that it refers to. A glob refers to its module, with no name of its own.
    imports: Vec<(String, Segments)>,
    paths: Vec<Segments>,
}

impl Reader {
    fn import(&mut self, mut prefix: Segments, tree: &UseTree) {
        match tree {
            UseTree::Path(path) => {
                prefix.push(path.ident.to_string());
                self.import(prefix, &path.tree);
            }
            UseTree::Group(group) => group
                .items
                .iter()
                .for_each(|tree| self.import(prefix.clone(), tree)),
            UseTree::Glob(_) => self.imports.push((format!("{}::*", prefix.join("::")), prefix)),
            UseTree::Name(name) => {
                let name = name.ident.to_string();
                if name != "self" {
                    prefix.push(name);
                }
                let name = prefix.last().cloned().unwrap_or_default();
                self.imports.push((name, prefix));
            }
            UseTree::Rename(rename) => {
                if rename.ident != "self" {
                    prefix.push(rename.ident.to_string());
                }
                let name = match rename.rename.to_string() {
                    // Several traits may be imported as `_`.
                    name if name == "_" => format!("_{}", prefix.join("::")),
                    name => name,
                };
                self.imports.push((name, prefix));
            }
        }
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_for_tests(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        match item {
            ImplItem::Fn(function) if is_for_tests(&function.attrs) => {}
            item => visit::visit_impl_item(self, item),
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.import(Vec::new(), &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments = path.segments.iter().map(|segment| segment.ident.to_string());
        self.paths.push(segments.collect());
        visit::visit_path(self, path);
    }

    /// A macro's arguments are not a syntax tree, so the paths are extracted from their text.
    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        let text = call.tokens.to_string().replace(" :: ", "::");
        let words = text.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
        let paths = words.filter(|word| word.contains("::"));
        self.paths
            .extend(paths.map(|path| path.split("::").map(str::to_owned).collect()));
        visit::visit_macro(self, call);
    }
}
