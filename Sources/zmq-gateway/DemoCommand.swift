import ArgumentParser
import Demo
import FoundationEssentials
import Gateway
import HTTPServer
import Logging
import ServiceLifecycle

struct DemoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo", abstract: "Serve demonstration services that run in this process: calc, jobs and news.")

  @OptionGroup var serving: ServingOptions

  @Flag(help: "Listen beyond this machine too, for everyone who reaches it: `auth: none` of a configuration.")
  var open = false

  func run() async throws {
    var overrides = try serving.overrides()
    do {
      let environment = try Overrides(environment: ProcessInfo.processInfo.environment)
      overrides.listen = overrides.listen ?? environment.listen
      overrides.threads = overrides.threads ?? environment.threads
      overrides.hosts = environment.hosts
    } catch {
      throw ValidationError("\(error)")
    }
    if !open, let address = overrides.listen?.first(where: { !$0.isLoopback }) {
      throw ValidationError("\(address) is reachable from other machines; add --open to serve everyone who reaches it")
    }
    let logger = try serving.logger()
    do {
      // What the services need; the gateway sees to its own.
      try TooFewDescriptors.check(needed: 64)
    } catch {
      logger.critical("cannot start", metadata: ["error": "\(error)"])
      throw ExitCode.unavailable
    }
    let demo = try await DemoServices.start(logger: logger)
    var configuration = Configuration()
    configuration.isOpenToAll = open
    configuration.services = await demo.services
    do {
      configuration = try configuration.applying(overrides)
    } catch {
      throw ValidationError("\(error)")
    }
    let complete = configuration
    let gateway = GatewayService(
      start: { try await Gateway.start(complete, logger: logger) }, logger: logger,
      hints: { gateway in gateway.addresses.first.map { Self.hints(at: "http://\($0)") } ?? [] })
    try await gateway.run(behind: [DemoService(demo: demo)])
  }

  /// What to try first.
  private static func hints(at url: String) -> [String] {
    [
      "open \(url)/ in a browser, or try:", "curl -d '[2,3]' \(url)/rpc/calc/add", "curl -N \(url)/sub/news",
      "curl -d '[\"a.png\"]' \(url)/push/jobs/resize",
    ]
  }
}

/// Lets the demonstration's clock tick until the gateway in front of it has stopped.
private struct DemoService: Service {
  let demo: DemoServices

  func run() async throws {
    await cancelWhenGracefulShutdown { await demo.run() }
    await demo.stop()
  }
}
