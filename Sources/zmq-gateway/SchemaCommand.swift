import ArgumentParser

struct SchemaCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schema",
    abstract: "Print the JSON Schema of the configuration, by which editors complete and check it.",
    discussion: """
      zmq-gateway schema > gateway.schema.json

      A gateway.yaml that zmq-gateway init has written names it. What a schema cannot say, check tells.
      """)

  func run() { StandardStream.output.write(PackageResources.gateway_schema_json) }
}
