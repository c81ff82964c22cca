import Foundation
import Support
import Testing

@testable import Gateway

@Suite("What deploys the gateway", .inTurn(minutes: 4))
struct DeploymentTests {
  private static let overlays = ["demo", "python"]

  /// What a program prints; its failure is the test's.
  private static func output(_ program: String, _ arguments: [String]) async throws -> String {
    let process = try Subprocess(program, arguments, complaints: .withOutput)
    let text = try await process.rest()
    #expect(try await process.ended() == 0, "\(program): \(text)")
    return text
  }

  // Not every system has a package of kubectl.
  private static let hasKubectl = ["/usr/bin", "/usr/local/bin"].contains {
    FileManager.default.isExecutableFile(atPath: "\($0)/kubectl")
  }

  @Test(
    "Kubernetes knows every name of each overlay", .enabled(if: Python.isThere && hasKubectl),
    arguments: overlays)
  func valid(_ overlay: String) async throws {
    let directory = try TemporaryDirectory()
    let overlayPath = Repository.path("Docker/kubernetes/overlays/\(overlay)")
    let rendered = try await Self.output("kubectl", ["kustomize", overlayPath])
    for kind in ["Deployment", "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget", "NetworkPolicy"] {
      #expect(rendered.contains("\nkind: \(kind)\n"), "\(kind)")
    }
    // Out go names and backends, and none of them is the gateway.
    let egress = try #require(rendered.firstRange(of: "  egress:\n"))
    let peers = rendered[egress.upperBound...].prefix(
      upTo: rendered.range(of: "\n  ingress:\n")?.lowerBound ?? egress.upperBound)
    #expect(peers.contains("k8s-app") && peers.contains("zmq-gateway/backend"))
    #expect(!peers.contains("app.kubernetes.io/name"))
    let file = try directory.file("\(overlay).yaml", rendered)
    _ = try await Self.output(
      try #require(Python.path), ["-m", "kubernetes_validate", "--strict", "--kubernetes-version", "1.32", file])
  }

  @Test("Kubernetes waits longer than the gateway's own grace") func grace() throws {
    let deployment = try Repository.text("Docker/kubernetes/base/deployment.yaml")
    let limit = try #require(deployment.firstMatch(of: /terminationGracePeriodSeconds: (\d+)/).flatMap { Int($0.1) })
    let sleep = try #require(deployment.firstMatch(of: /sleep: { seconds: (\d+) }/).flatMap { Int($0.1) })
    #expect(.seconds(limit - sleep) > Configuration().grace)
  }

  @Test("the configuration of the Kubernetes overlay has the services of the example") func configuration() throws {
    let text = try Repository.text("Docker/kubernetes/overlays/python/gateway.yaml")
    let configuration = try Configuration.load(yaml: text, file: "gateway.yaml")
    let own = try Configuration.load(yaml: Repository.text("Examples/python/gateway.yaml"), file: "gateway.yaml")
    #expect(configuration.isOpenToAll)
    #expect(configuration.services.map(\.name) == own.services.map(\.name))
  }

  @Test(
    "Compose takes its files together", .enabled(if: Python.isThere, "\(Python.comment)"),
    arguments: [["compose"], ["compose", "compose.python"], ["compose", "compose.python", "compose.haproxy"]])
  func compose(_ names: [String]) async throws {
    let program = URL(fileURLWithPath: try #require(Python.path)).deletingLastPathComponent().path + "/docker-compose"
    let files = names.flatMap { ["-f", Repository.path("Docker/\($0).yaml")] }
    let text = try await Self.output(program, files + ["config"])
    #expect(text.contains("replicas: 3") == names.contains("compose.haproxy"))
    // What other machines reach is one program's port.
    #expect(text.components(separatedBy: "published:").count == 2)
  }

  @Test("the image has a program, the libraries that it loads, and a list of what they are", .enabled(if: hasCurl))
  func image() async throws {
    let directory = try TemporaryDirectory()
    let resolved = """
      {
        "pins" : [
          {
            "identity" : "swift-log",
            "kind" : "remoteSourceControl",
            "location" : "https://github.com/apple/swift-log.git",
            "state" : { "revision" : "abc",
              "version" : "1.2.3"
            }
          }
        ],
        "version" : 3
      }
      """
    let root = directory.path + "/root"
    // As on Debian 13, where a library has two places.
    let query = try directory.file(
      "dpkg-query",
      """
      #!/bin/sh
      if [ "$1" = -S ]; then echo "diversion by libc6 from: /lib64/ld-linux-x86-64.so.2"; fi
      exec /usr/bin/dpkg-query "$@"

      """)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: query)
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    // Any program of Debian's that tells its version.
    _ = try await Self.output(
      "/usr/bin/env",
      [
        "PATH=\(directory.path):\(path)", Repository.path("Docker/rootfs"), "/usr/bin/curl",
        try directory.file("Package.resolved", resolved), root,
      ])
    let loaded = try await Self.output("ldd", ["/usr/bin/curl"]).matches(of: /(?:=> |\t)(\/\S+)/).map { String($0.1) }
    #expect(loaded.count > 5)
    for path in loaded + ["/usr/local/bin/zmq-gateway", "/etc/passwd", "/tmp"] {
      #expect(FileManager.default.fileExists(atPath: root + path), "\(path)")
    }
    #expect(!FileManager.default.fileExists(atPath: root + "/bin/sh"))
    let list = try String(contentsOfFile: root + "/usr/share/sbom/zmq-gateway.spdx.json", encoding: .utf8)
    let sbom = try #require(JSON(list))
    let names = sbom["packages"].elements.compactMap { $0["name"].text }
    #expect(names.first == "zmq-gateway" && names.last == "swift-log" && names.contains("libc6"), "\(names)")
    #expect(names.count == Set(names).count)
    let purl = sbom["packages"].elements.last?["externalRefs"][0]["referenceLocator"]
    #expect(purl == "pkg:swift/github.com/apple/swift-log@1.2.3")
    #expect(sbom["relationships"].elements.count == names.count)
  }

  @Test("the program loads neither Foundation nor ICU, which would double the image", .enabled(if: Program.isThere))
  func essentials() async throws {
    let loaded = try await Self.output("ldd", [try #require(Program.path)])
    #expect(loaded.contains("libFoundationEssentials.so"))
    for name in ["libFoundation.so", "Internationalization", "ICU", "icu", "not found"] {
      #expect(!loaded.contains(name), "\(name)")
    }
  }

  @Test("the size that docs/deploy.md tells of is below the one that make test-image holds")
  func size() throws {
    let limit = try Repository.text("Docker/test").firstMatch(of: /most=(\d+)/).flatMap { Int($0.1) }
    let told = try Repository.text("docs/deploy.md").firstMatch(of: /The image has (\d+) MB/).flatMap { Int($0.1) }
    #expect(limit == 60_000_000)
    #expect(try #require(told) < 60)
  }

  private static let hasCurl = FileManager.default.isExecutableFile(atPath: "/usr/bin/curl")

  @Test("HAProxy takes its configuration") func haproxy() async throws {
    _ = try await Self.output("haproxy", ["-c", "-f", Repository.path("Docker/haproxy.cfg")])
  }
}
