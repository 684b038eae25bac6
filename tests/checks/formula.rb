# formula.rb FORMULA FOLDER: does what Homebrew would with a formula, as far as that goes without Homebrew. FOLDER has the
# built binary. Prints as JSON what the formula says of itself, of its service and of how it installs; then runs its test.

require "json"
require "open3"
require "pathname"
require "socket"

FOLDER = Pathname.new(ARGV.fetch(1))
SAID = { "depends_on" => [], "system" => [] }

class Service
  def run(command) = SAID["run"] = Array(command).map(&:to_s)
  def method_missing(key, value) = SAID["service_#{key}"] = value.is_a?(Pathname) ? value.to_s : value
  def respond_to_missing?(*) = true
  def opt_bin = FOLDER
  def var = Pathname.new("/var")
end

class Formula
  class << self
    attr_reader :tested

    %w[desc homepage license url sha256].each { |word| define_method(word) { |value| SAID[word] = value } }
    def head(url, branch:) = SAID["head"] = [url, branch]
    def depends_on(what) = SAID["depends_on"] << what
    def service(&block) = Service.new.instance_eval(&block)
    def test(&block) = @tested = block
  end

  def bin = FOLDER
  def std_cargo_args = %w[--locked --root=/prefix --path=.]
  def system(*command) = SAID["system"] << command
  def free_port = TCPServer.open("127.0.0.1", 0) { |server| server.addr[1] }

  def shell_output(command)
    output, status = Open3.capture2(command)
    raise "#{command} ended with #{status.exitstatus}" unless status.success?

    output
  end

  def assert_match(expected, actual)
    right = expected.is_a?(Regexp) ? expected.match?(actual) : actual.include?(expected)
    raise "#{expected.inspect} is not in #{actual[0, 400].inspect}" unless right

    SAID["asserted"] = SAID.fetch("asserted", 0) + 1
  end
end

load ARGV.fetch(0)
formula = Gauged.new
formula.install
formula.instance_eval(&Gauged.tested)
puts JSON.generate(SAID)
