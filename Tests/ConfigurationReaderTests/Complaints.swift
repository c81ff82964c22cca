@testable import ConfigurationReader

/// What is reported of a text while `read` takes its keys, a line a problem, without the file's name.
func complaints(
  _ yaml: String, environment: [String: String] = [:], _ read: (Section) -> Void = { $0.finish() }
) -> [String] {
  let diagnostics = Diagnostics(file: "f", environment: environment)
  if let root = YAMLDocument(yaml, diagnostics).root { read(root) }
  do throws(ConfigurationErrors) {
    try diagnostics.finish()
    return []
  } catch {
    return error.problems.map { String($0.description.dropFirst($0.line == 0 ? 3 : 2)) }
  }
}
