import Demo
import Foundation
import Gateway
import HTTPServer
import Support
import Testing

@Suite("The commands of README.md", .inTurn(minutes: 4))
struct ReadmeTests {
  private let readme: Readme
  private static let python = "In front of a Python service"

  init() throws { readme = Readme(try Repository.text("README.md")) }

  @Test("are all of a kind that is tried here")
  func kinds() {
    #expect(readme.lines < 250)
    #expect(readme.steps.count > 15)
    for step in readme.steps {
      let known = ["curl", "make", "docker", "pip", "python3", ".build/release/zmq-gateway"]
      #expect(known.contains(step.program), "\(step.command)")
    }
    let languages = Set(readme.blocks.map(\.language))
    // That of Swift is tried by the tests of the examples.
    #expect(languages == ["", "sh", "console", "js", "python", "yaml", "swift"])
  }

  @Test("print what they are said to print, in front of the demonstration")
  func demonstration() async throws {
    try await Cleanup.with { cleanup in
      let gateway = try await startDemonstration(cleanup)
      let steps = readme.steps.filter { $0.program == "curl" && $0.section != Self.python }
      try await check(steps, Console(gateway: gateway))
      for command in readme.inline where command.hasPrefix("curl ") {
        let answer = try await Console(gateway: gateway).output(of: command + " --fail")
        #expect(!answer.isEmpty, "\(command)")
      }
    }
  }

  @Test("print what they are said to print on the page of calls, in front of the demonstration")
  func calls() async throws {
    let page = Readme(try Repository.text("docs/calls.md"))
    try await Cleanup.with { cleanup in
      let console = Console(gateway: try await startDemonstration(cleanup))
      // Calls that nobody waits for have an id of their own each time.
      let steps = page.blocks.filter { $0.language == "console" }.flatMap(\.steps).filter {
        !$0.command.contains("respond-async") && !$0.command.contains("/calls/")
      }
      #expect(steps.count > 7)
      try await check(steps, console)
      guard Python.isThere, let script = page.blocks.first(where: { $0.text.contains("import requests") }) else {
        return
      }
      let directory = try TemporaryDirectory()
      let python = try Subprocess(Python.path ?? "", [try directory.file("call.py", console.replaced(script.text))])
      #expect(try await python.rest() == "5\n")
      try await python.ended()
    }
  }

  // `make test` sets ZMQ_GATEWAY_PYTHON to a Python with aiozmq; without one the service does not start.
  @Test(
    "print what they are said to print, in front of the Python service",
    .enabled(if: Python.isThere, "\(Python.comment)"))
  func pythonService() async throws {
    let yaml = try #require(readme.block("yaml")).text
    let script = try #require(readme.block("python")).text
    try await Cleanup.with { cleanup in
      let directory = try TemporaryDirectory()
      func moved(_ text: String) -> String {
        text.replacing("tcp://127.0.0.1:5555", with: directory.endpoint("math"))
      }
      let service = try Subprocess(Python.path ?? "", [try directory.file("service.py", moved(script))])
      cleanup.add { await service.destroy() }
      let gateway = try await start(try Configuration.load(yaml: moved(yaml), file: "gateway.yaml"), cleanup)
      try await gateway.isConnected("/rpc/math/add")
      try await check(
        readme.steps.filter { $0.program == "curl" && $0.section == Self.python }, Console(gateway: gateway))
    }
  }

  @Test("name targets of the Makefile, files that are there, and the versions the tests use")
  func names() throws {
    let makefile = try Repository.text("Makefile")
    let requirements = try Repository.text("Tests/requirements.txt").split(separator: "\n")
    let commands = readme.steps.map(\.command) + readme.inline
    #expect(commands.contains("make run") && commands.contains("make test"))
    for words in commands.map({ $0.split(separator: " ") }) {
      switch words.first {
      case "make": #expect(makefile.contains("\n\(words[1]): "), "\(words)")
      case "pip": for package in words.dropFirst(2) { #expect(requirements.contains(package)) }
      case "docker":
        for file in words where file.hasSuffix(".yaml") {
          #expect(FileManager.default.fileExists(atPath: Repository.path(String(file))), "\(file)")
        }
      default: break
      }
    }
  }

  @Test(
    "stand in a document whose links lead somewhere, as those of the other documents do",
    arguments: [
      "README.md", "docs/README.md", "docs/design.md", "docs/streams.md", "docs/tutorial.md", "docs/deploy.md",
      "docs/operations.md", "docs/faq.md", "docs/calls.md", "docs/tools.md", "docs/configuration.md", "docs/zeromq.md",
      "docs/rpc.md",
      "docs/parity/core.md", "docs/parity/rpc.md", "Examples/README.md", "Benchmarks/README.md",
    ])
  func links(file: String) throws {
    let folder = file.split(separator: "/").dropLast().map { "\($0)/" }.joined()
    for link in Readme(try Repository.text(file)).links where !link.hasPrefix("http") {
      #expect(FileManager.default.fileExists(atPath: Repository.path(folder + link)), "\(link)")
    }
  }

  /// A gateway in front of the demonstration's services, each of which is connected.
  private func startDemonstration(_ cleanup: Cleanup) async throws -> LiveGateway {
    let demo = try await DemoServices.start(logger: Rig.logger)
    cleanup.add { await demo.stop() }
    let clock = Task { await demo.run() }
    cleanup.add { clock.cancel() }
    var configuration = Configuration()
    configuration.services = await demo.services
    let gateway = try await start(configuration, cleanup)
    for target in ["/rpc/calc/add", "/push/jobs/resize", "/pub/news/chat/say"] {
      try await gateway.isConnected(target, "[1,2]")
    }
    return gateway
  }

  private func start(_ configuration: Configuration, _ cleanup: Cleanup) async throws -> LiveGateway {
    var configuration = configuration
    configuration.http.listen = [.loopback(port: 0)]
    // With one shard, one answer tells that the backends are connected.
    configuration.http.threads = 1
    let gateway = LiveGateway(try await Gateway.start(configuration, logger: Rig.logger))
    cleanup.add { await gateway.stop() }
    return gateway
  }

  private func check(_ steps: [Readme.Step], _ console: Console) async throws {
    #expect(!steps.isEmpty)
    for step in steps where !step.isStream {
      let output = try await console.output(of: step.command)
      #expect(output == Console.normalised(step.output), "\(step.command)")
    }
    let sending = steps.filter { $0.command.contains("/pub/") || $0.command.contains("/push/") }
    for stream in steps where stream.isStream { try await console.follow(stream, while: sending) }
  }
}
