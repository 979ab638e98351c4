namespace ClusterLlm.AppHost.Standalone;

/// <summary>How long the supervisor waits for what.</summary>
internal sealed record SupervisorOptions
{
    /// <summary>From the start of a process until it must listen; a cold start of three on a busy machine takes some seconds.</summary>
    public TimeSpan StartLimit { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Between looks at the ready file.</summary>
    public TimeSpan ReadyInterval { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Between health checks until the first one passes.</summary>
    public TimeSpan FirstHealthInterval { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Between health checks after that. Not how soon the end of a process is noticed, which is at once; only how soon one that lives on and answers no more is.</summary>
    public TimeSpan HealthInterval { get; init; } = TimeSpan.FromSeconds(5);

    public TimeSpan HealthTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>From the request to end until the process is ended by force. Two levels of processes end one after the other within 10 s.</summary>
    public TimeSpan StopGrace { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>Before the first restart of a process that ended unasked; doubled for each further one, see <see cref="RestartPolicy"/>.</summary>
    public TimeSpan FirstRestartPause { get; init; } = TimeSpan.FromSeconds(0.5);
}
