using System.Globalization;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using ClusterLlm.AppHost.Cluster;
using ClusterLlm.AppHost.Commands;
using ClusterLlm.AppHost.Standalone;
using ClusterLlm.AppHost.Topology;
using ClusterLlm.ServiceDefaults;

namespace ClusterLlm.AppHost.Aspire;

/// <summary>Maps the topology to Aspire's application model: the same processes, environment, endpoints, waits and health checks.</summary>
/// <param name="lifeLine">Path that tells the processes whether this host still lives: the orchestrator, which starts them, notices its end some seconds later.</param>
internal sealed class AspireModel(IDistributedApplicationBuilder builder, CommandMapping commands, ClusterWatcher watcher, string lifeLine)
{
    private readonly Dictionary<string, IResourceBuilder<ProjectResource>> _projects = [];
    private readonly HashSet<int> _ports = [];

    /// <summary>By the process's name.</summary>
    public IReadOnlyDictionary<string, IResourceBuilder<ProjectResource>> Projects => _projects;

    /// <summary>Null when the topology has none.</summary>
    public PythonResources? Python { get; private set; }

    public void Add(ClusterTopology topology)
    {
        foreach (var process in topology.Processes)
        {
            _projects[process.Name] = Add(process, topology);
        }

        if (topology.Python is { } python)
        {
            Python = PythonResources.Add(builder, python, lifeLine);
        }
    }

    private IResourceBuilder<ProjectResource> Add(ProcessResource process, ClusterTopology topology)
    {
#pragma warning disable ASPIRECERTIFICATES001 // For evaluation only, Aspire says; without it each page of the dashboard warns of a certificate that nothing here uses.
        var project = AddProject(process).WithoutHttpsCertificate()
#pragma warning restore ASPIRECERTIFICATES001
            // The processes read their own port settings; ASPNETCORE_URLS would contradict them.
            .WithEndpointsInEnvironment(_ => false)
            .WithEnvironment(ParentWatch.VariableName, lifeLine);
        foreach (var endpoint in process.Endpoints)
        {
            AddEndpoint(project, endpoint);
        }

        foreach (var (variable, value) in process.Environment)
        {
            _ = value switch
            {
                TextValue text => project.WithEnvironment(variable, text.Text),
                EndpointValue reference => project.WithEnvironment(variable, Url(topology, reference)),
                _ => throw new InvalidOperationException($"{variable} of {process.Name} is a {value.GetType().Name}, which Aspire is not told yet."),
            };
        }

        foreach (var dependency in process.WaitFor)
        {
            project.WaitFor(_projects[dependency]);
        }

        project.WithHttpHealthCheck(process.HealthPath, endpointName: process.HealthEndpoint);
        AddCommands(project, process);
        return project;
    }

    private IResourceBuilder<ProjectResource> AddProject(ProcessResource process) => process.Project switch
    {
        "Coordinator" => builder.AddProject<CoordinatorProject>(process.Name, AsItIs),
        "NodeAgent" => builder.AddProject<NodeAgentProject>(process.Name, AsItIs),
        _ => throw new InvalidOperationException($"{process.Name} runs {process.Project}, which Aspire is not told yet."),
    };

    private static void AsItIs(ProjectResourceOptions options)
    {
        options.ExcludeLaunchProfile = true;
        options.ExcludeKestrelEndpoints = true;
    }

    private ReferenceExpression Url(ClusterTopology topology, EndpointValue reference)
    {
        var scheme = topology.Processes.Single(process => process.Name == reference.Process).Endpoints.Single(endpoint => endpoint.Name == reference.Endpoint).Scheme;
        var address = _projects[reference.Process].GetEndpoint(reference.Endpoint).Property(EndpointProperty.HostAndPort);
        return ReferenceExpression.Create($"{scheme}://{address}");
    }

    /// <summary>
    /// TLS here is the cluster's own, with certificates of its own CA. To Aspire "https" means its development certificate, and it warns on every page where there is none.
    /// </summary>
    private static string SchemeFor(EndpointResource endpoint) => endpoint.Scheme == Uri.UriSchemeHttps ? "tcp" : endpoint.Scheme;

    /// <summary>Without Aspire's proxy: agents tell each other the address that they listen on.</summary>
    private void AddEndpoint(IResourceBuilder<ProjectResource> project, EndpointResource endpoint)
    {
        var port = PortPolicy.Choose(endpoint, earlier: null, free => !_ports.Contains(free) && LoopbackPort.IsFree(free)).Port;
        while (port == 0 || !_ports.Add(port))
        {
            port = LoopbackPort.FindFree();
        }

        project
            .WithEndpoint(port: port, targetPort: port, scheme: SchemeFor(endpoint), name: endpoint.Name, isProxied: false)
            .WithEndpoint(endpoint.Name, annotation => annotation.TargetHost = "127.0.0.1")
            .WithEnvironment(endpoint.PortVariable, port.ToString(CultureInfo.InvariantCulture));
        if (endpoint.Name != ClusterTopology.HttpEndpoint)
        {
            project.WithUrlForEndpoint(endpoint.Name, url =>
            {
                url.Url = endpoint.Scheme + url.Url[url.Url.IndexOf(':', StringComparison.Ordinal)..];
                url.DisplayLocation = UrlDisplayLocation.DetailsOnly;
            });
        }
    }

    private void AddCommands(IResourceBuilder<ProjectResource> project, ProcessResource process)
    {
        var isCoordinator = process.Name == ClusterTopology.Coordinator;
        foreach (var command in ClusterCommands.For(isCoordinator ? CommandTarget.Coordinator : CommandTarget.Node))
        {
            commands.Add(project, command, process.Name, () => isCoordinator
                ? watcher.Current.Connected
                : LiveResources.EnabledCommands(watcher.Current.Node(process.Name)).Contains(command.Name));
        }
    }
}
