using System.Globalization;
using System.Runtime.InteropServices;
using ClusterLlm.AppHost.Topology;
using ClusterLlm.ServiceDefaults;

namespace ClusterLlm.AppHost.Standalone;

/// <summary>Turns a described process into what the system is asked to start.</summary>
internal sealed class LaunchResolver(BuildFacts facts, string home)
{
    private const string RuntimeVariable = "DOTNET_ROOT";

    /// <summary>The file in which the process says that it listens.</summary>
    public string ReadyFilePath(ProcessResource resource) => Path.Join(home, "run", $"{resource.Name}.json");

    /// <param name="ports">Chosen port by endpoint name.</param>
    /// <param name="references">Addresses of other processes, see <see cref="References"/>.</param>
    public ChildStart Resolve(
        ProcessResource resource,
        IReadOnlyDictionary<string, int> ports,
        IReadOnlyDictionary<string, string> references)
    {
        var environment = resource.Environment.ToDictionary(
            entry => entry.Key,
            entry => entry.Value is TextValue text ? text.Text : references[entry.Key]);
        foreach (var endpoint in resource.Endpoints)
        {
            environment[endpoint.PortVariable] = ports[endpoint.Name].ToString(CultureInfo.InvariantCulture);
        }

        environment[resource.ReadyFileVariable] = ReadyFilePath(resource);
        environment[ParentWatch.VariableName] = "stdin";
        environment[RuntimeVariable] = RuntimeRoot();
        var (program, arguments) = Command(facts.Outputs[resource.Project]);
        return new(program, arguments, environment);
    }

    /// <summary>What runs an assembly: its own program where there is one.</summary>
    public static (string Program, string[] Arguments) Command(string assembly)
    {
        var program = Path.ChangeExtension(assembly, OperatingSystem.IsWindows() ? ".exe" : null);
        return File.Exists(program) ? (program, []) : (Path.Join(RuntimeRoot(), OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet"), ["exec", assembly]);
    }

    /// <summary>The addresses that the environment of <paramref name="resource"/> refers to, or null while one is not known.</summary>
    public static IReadOnlyDictionary<string, string>? References(
        ProcessResource resource,
        IReadOnlyDictionary<string, ProcessSnapshot> processes)
    {
        var found = new Dictionary<string, string>();
        foreach (var (variable, value) in resource.Environment)
        {
            if (value is not EndpointValue reference)
            {
                continue;
            }

            if (!processes[reference.Process].Urls.TryGetValue(reference.Endpoint, out var url))
            {
                return null;
            }

            found[variable] = url;
        }

        return found;
    }

    /// <summary>The runtime that runs this process runs the children too, wherever it is installed.</summary>
    private static string RuntimeRoot() => Path.GetFullPath(Path.Join(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
}
