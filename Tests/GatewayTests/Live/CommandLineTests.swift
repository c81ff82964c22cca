import Foundation
import Support
import Testing

/// Which configuration the commands of the program read, and what they say when they can read none.
@Suite(
  "The command line", .inTurn(minutes: 3), .enabled(if: Program.isThere, "no program is built beside the tests"))
struct CommandLineTests {
  private static let good = "services: { math: { pattern: rpc, connect: [\"tcp://127.0.0.1:5555\"] } }\n"

  /// Runs the program in a folder, with variables, and something to read; returns what it printed, and its exit code.
  private static func run(
    in folder: TemporaryDirectory, _ variables: [String] = [], _ arguments: String, input: String = ""
  ) async throws -> (output: String, code: Int32) {
    let path = try #require(Program.path)
    let line = "cd \"$0\" && printf %s \"$1\" | env \(variables.joined(separator: " ")) \"$2\" \(arguments)"
    let process = try Subprocess("sh", ["-c", line, folder.path, input, path], complaints: .withOutput)
    let output = try await process.rest()
    return (output, try await process.ended())
  }

  @Test(
    "names the configuration as an argument, with -c or --config, in the environment, or not at all",
    arguments: [
      ("", "check mine.yaml", "mine.yaml"), ("", "check -c mine.yaml", "mine.yaml"),
      ("", "check --config mine.yaml", "mine.yaml"), ("", "check --config=mine.yaml", "mine.yaml"),
      ("ZMQ_GATEWAY_CONFIG=mine.yaml", "check", "mine.yaml"),
      ("ZMQ_GATEWAY_CONFIG=other.yaml", "check mine.yaml", "mine.yaml"), ("", "check", "gateway.yaml"),
      ("ZMQ_GATEWAY_CONFIG=", "check", "gateway.yaml"), ("", "check -", "standard input"),
    ])
  func configuration(variable: String, arguments: String, name: String) async throws {
    let folder = try TemporaryDirectory()
    for file in ["mine.yaml", "gateway.yaml"] { _ = try folder.file(file, Self.good) }
    let (output, code) = try await Self.run(in: folder, [variable], arguments, input: Self.good)
    #expect(output.hasPrefix("\(name): valid, 1 service\n"), "\(output)")
    #expect(code == 0)
  }

  @Test("tells what to do when no configuration is named and none is there, and when two are named")
  func none() async throws {
    let folder = try TemporaryDirectory()
    for command in ["serve", "check", "openapi"] {
      let (output, code) = try await Self.run(in: folder, [], command)
      #expect(output.contains("name a configuration, such as gateway.yaml"), "\(output)")
      #expect(output.contains("zmq-gateway init"))
      #expect(code == 64)
    }
    let (output, code) = try await Self.run(in: folder, [], "check a.yaml -c b.yaml")
    #expect(output.contains("name one configuration, not two"))
    #expect(code == 64)
  }

  @Test("tells of faults in what it reads from standard input by that name")
  func faults() async throws {
    let folder = try TemporaryDirectory()
    let (output, code) = try await Self.run(in: folder, [], "check -", input: "servces: {}\n")
    #expect(output.contains("standard input:1:1: servces: unknown key; did you mean \"services\"?"), "\(output)")
    #expect(code == 78)
  }

  @Test("init writes a configuration that is valid, and overwrites nothing")
  func initialize() async throws {
    let folder = try TemporaryDirectory()
    let written = try await Self.run(in: folder, [], "init")
    #expect(written.code == 0)
    #expect(written.output.hasPrefix("gateway.yaml: written; "))
    let text = try String(contentsOfFile: folder.path + "/gateway.yaml", encoding: .utf8)
    #expect(try text == Repository.text("docs/gateway.yaml"))
    #expect(try await Self.run(in: folder, [], "check").output.hasPrefix("gateway.yaml: valid, 3 services"))
    let again = try await Self.run(in: folder, [], "init gateway.yaml")
    #expect(again.output == "gateway.yaml: is there already; name another file, or - for standard output\n")
    #expect(again.code == 73)
    let nowhere = try await Self.run(in: folder, [], "init no/where.yaml")
    #expect(nowhere.output == "no/where.yaml: cannot be written: no such file or directory\n")
    #expect(nowhere.code == 73)
    #expect(try await Self.run(in: folder, [], "init -").output == text)
  }

  @Test(
    "a word that is wrong is told with the usage of its command",
    arguments: [
      ("call add", "a gateway is asked for service/method", "zmq-gateway call"),
      ("check", "name a configuration", "zmq-gateway check"),
      ("bench call add", "a gateway is asked for service/method", "zmq-gateway bench call"),
      ("healthcheck --http x", "--http: ", "zmq-gateway healthcheck"),
      ("serve --threads 999", "--threads: 999 is not between 0 and 256", "zmq-gateway serve"),
      ("demo --threads -1", "--threads", "zmq-gateway demo"),
      ("keygen curve -f ''", "--file: ", "zmq-gateway keygen curve"),
      ("serv", "there is no command \"serv\"; did you mean \"serve\"?", "zmq-gateway"),
      ("helthcheck --http x", "there is no command \"helthcheck\"; did you mean \"healthcheck\"?", "zmq-gateway"),
      ("my.yaml", "there is no command \"my.yaml\"; did you mean \"serve my.yaml\"?", "zmq-gateway"),
      ("dance", "there is no command \"dance\"", "zmq-gateway"),
      ("version", "there is no command \"version\"; did you mean \"--version\"?", "zmq-gateway"),
    ])
  func usage(arguments: String, reason: String, command: String) async throws {
    let (output, code) = try await Self.run(in: try TemporaryDirectory(), [], arguments)
    #expect(output.hasPrefix("Error: ") && output.contains(reason), "\(output)")
    #expect(output.contains("\nUsage: \(command) "), "\(output)")
    #expect(output.contains("\n  See '\(command) --help' for more information."), "\(output)")
    #expect(code == 64)
  }

  @Test("check warns of hosts without an address, and of services of which nothing can be called")
  func warnings() async throws {
    let yaml = """
      services:
        a: { pattern: rpc, connect: ["tcp://nowhere.invalid:5555", "tcp://127.0.0.1:5555"], methods: { expose: [] } }
        b: { pattern: pipeline, connect: ["tcp://localhost:5556"], methods: { expose: [] } }
      """
    let (output, code) = try await Self.run(in: try TemporaryDirectory(), [], "check -", input: yaml)
    #expect(output.contains("services.a: the host of tcp://nowhere.invalid:5555 has no address here ("), "\(output)")
    #expect(!output.contains("localhost") && !output.contains("127.0.0.1"), "\(output)")
    for service in ["a", "b"] {
      #expect(
        output.contains("services.\(service).methods.expose: empty, so no method of this service can be called"),
        "\(output)")
    }
    #expect(code == 0)
  }

  @Test("serve warns in its log of what check warns of")
  func notes() async throws {
    let folder = try TemporaryDirectory()
    let yaml = "http: { listen: [\"127.0.0.1:0\"] }\nservices: {}\n"
    _ = try folder.file("gateway.yaml", yaml)
    #expect(try await Self.run(in: folder, [], "check").output.contains("services: none, so there is nothing to call"))
    let process = try Program.start("serve", folder.path + "/gateway.yaml")
    try await Cleanup.with { cleanup in
      cleanup.add { await process.destroy() }
      var lines: [String] = []
      while lines.last?.contains("] listening") != true, let line = try await process.line() { lines.append(line) }
      #expect(
        lines.contains { $0.contains(" warning ") && $0.contains("note=services: none, so there is nothing to call") },
        "\(lines)")
    }
  }

  @Test("an address that another program has is told with the two places where another one is chosen")
  func taken() async throws {
    let folder = try TemporaryDirectory()
    _ = try folder.file("gateway.yaml", Self.good)
    try await Program.demo { url in
      let address = url.dropFirst("http://".count)
      let (output, code) = try await Self.run(in: folder, [], "serve --listen \(address)")
      #expect(output.contains("choose another address with --listen, http.listen or http.admin"), "\(output)")
      #expect(code == 69)
    }
  }

  @Test(
    "an address where nobody can listen is told with the reason, and the two places where another one is chosen",
    arguments: [
      ("unix:/nowhere/at/all", "the folder of the Unix socket is not there"),
      ("203.0.113.1:1", "this machine does not have that address"),
      ("unix:/proc/zmq-gateway", "the folder of the Unix socket is not there"),
    ])
  func elsewhere(address: String, reason: String) async throws {
    let folder = try TemporaryDirectory()
    _ = try folder.file("gateway.yaml", Self.good + "auth: none\n")
    let (output, code) = try await Self.run(in: folder, [], "serve --listen \(address)")
    #expect(
      output.contains("hint=\(reason); choose another address with --listen, http.listen or http.admin"), "\(output)")
    #expect(code == 69)
  }

  @Test("the demonstration begins with its address and what to try, its log in one form of time")
  func demonstration() async throws {
    let demo = try Program.start("demo", "--listen", "127.0.0.1:0")
    try await Cleanup.with { cleanup in
      cleanup.add { await demo.destroy() }
      var lines: [String] = []
      while lines.last?.contains("/push/jobs/resize") != true, let line = try await demo.line() { lines.append(line) }
      let ports = lines.compactMap { $0.firstMatch(of: /addresses=127\.0\.0\.1:([0-9]+)/)?.output.1 }
      let port = try #require(ports.first)
      let url = "http://127.0.0.1:\(port)"
      for text in ["open \(url)/ in a browser", "curl -d '[2,3]' \(url)/rpc/calc/add", "curl -N \(url)/sub/news"] {
        #expect(lines.contains { $0.hasSuffix(text) || $0.contains(text) }, "\(text) in \(lines)")
      }
      for line in lines {
        let start = line.prefixMatch(of: /[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{3}Z [a-z]+ zmq-gateway:/)
        #expect(start != nil, "\(line)")
      }
    }
  }

  @Test("schema prints the JSON Schema of the configuration")
  func schema() async throws {
    let printed = try await Self.run(in: try TemporaryDirectory(), [], "schema")
    #expect(try printed.output == Repository.text("docs/gateway.schema.json"))
    #expect(printed.code == 0)
  }

  @Test("openapi prints the document that the gateway serves, with its prefix and its routes")
  func document() async throws {
    let folder = try TemporaryDirectory()
    let yaml = """
      http: { prefix: /api, listen: ["127.0.0.1:0"], threads: 1 }
      services:
        s: { pattern: rpc, connect: ["ipc:///nowhere/s"], required: false, methods: { safe: [get] }, routes: { "GET /users/{id}": get } }
      """
    let file = try folder.file("gateway.yaml", yaml)
    let gateway = try Program.start("serve", file)
    try await Cleanup.with { cleanup in
      cleanup.add { await gateway.destroy() }
      let http = HTTPClient(port: try await gateway.port())
      let printed = try await Self.run(in: folder, [], "openapi")
      #expect(printed.code == 0)
      #expect(try await http.send("GET", "/api/openapi.yaml").body == printed.output)
      #expect(printed.output.contains("/users/{id}"))
      let json = try await Self.run(in: folder, [], "openapi --format json")
      #expect(try await http.send("GET", "/api/openapi.json").body + "\n" == json.output)
    }
  }

  @Test("takes the level of the log from the environment where no flag gives one, and refuses one that is none")
  func level() async throws {
    let folder = try TemporaryDirectory()
    _ = try folder.file("gateway.yaml", "http: { listen: [\"127.0.0.1:0\"] }\n" + Self.good)
    let wrong = try await Self.run(in: folder, ["ZMQ_GATEWAY_LOG_LEVEL=loud"], "serve")
    #expect(
      wrong.output.contains("ZMQ_GATEWAY_LOG_LEVEL: \"loud\" is no level; it is one of trace, "), "\(wrong.output)")
    #expect(wrong.code == 64)
    let path = try #require(Program.path)
    let process = try Subprocess(
      "env", ["ZMQ_GATEWAY_LOG_LEVEL=Debug", path, "serve", folder.path + "/gateway.yaml"], complaints: .withOutput)
    try await Cleanup.with { cleanup in
      cleanup.add { await process.destroy() }
      let http = HTTPClient(port: try await process.port())
      // Each problem is told at that level.
      #expect(try await http.send("GET", "/nowhere").status == 404)
      var line = try await process.line()
      while let told = line, !told.contains(" debug ") { line = try await process.line() }
      #expect(line?.contains("no-such-route") == true)
    }
  }
}
