import Foundation
import Testing

@Suite("The modules")
struct ModuleTests {
  /// As CONTRIBUTING.md lists them, bottom to top.
  private let modules: [String]

  init() throws {
    let table = try Repository.text("CONTRIBUTING.md").components(separatedBy: "## Modules").last ?? ""
    modules = table.components(separatedBy: "\n\n")[2].split(separator: "\n").dropFirst(2).flatMap { row in
      String(row.split(separator: "|")[0]).matches(of: /`(.*?)`/).map { String($0.output.1) }
    }
  }

  /// Which modules the sources of a folder import.
  private func imports(of folder: String) throws -> Set<String> {
    let root = Repository.path(folder)
    let files = try FileManager.default.subpathsOfDirectory(atPath: root).filter { $0.hasSuffix(".swift") }
    #expect(!files.isEmpty || folder.hasPrefix("Sources/C"), "\(folder)")
    return try Set(
      files.flatMap { file in
        try String(contentsOfFile: "\(root)/\(file)", encoding: .utf8)
          .matches(of: /(?:^|\n)(?:@testable |public |package )?import (\w+)/).map { String($0.output.1) }
      }
    ).intersection(modules)
  }

  @Test("GEN-1: each imports only those that stand above it") func order() throws {
    #expect(modules.count > 10)
    for (index, module) in modules.enumerated() {
      let above = modules[..<index]
      #expect(try imports(of: "Sources/\(module)").subtracting(above).sorted() == [], "\(module)")
    }
    let package = try Repository.text("Package.swift")
    for library in ["ZeroMQ", "ZeroMQRPC"] { #expect(package.contains(".library(name: \"\(library)\"")) }
  }

  @Test("GEN-1, GEN-2: ZeroMQ and its tests need neither RPC nor MessagePack") func core() throws {
    #expect(try imports(of: "Sources/ZeroMQ") == ["CZeroMQ", "Reactor"])
    #expect(try imports(of: "Tests/ZeroMQTests") == ["CZeroMQ", "Reactor", "ZeroMQ"])
    #expect(try imports(of: "Tests/Support") == ["Reactor", "ZeroMQ"])
  }
}
