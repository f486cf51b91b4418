#include "jobs.h"

#include "link.h"
#include "program.h"

enum { TYPE_FIFO = 0010000 }; /* S_IFIFO, which the kernel's headers leave to a libc */

/* struct rusage of include/uapi/linux/resource.h, which leaves the time's type to a libc; 64-bit machines. */
struct usage {
	struct {
		uint64_t s, us;
	} user, system;
	uint64_t max_resident, shared_text, data, stack, minor_faults, major_faults, swaps, blocks_in, blocks_out, messages_out,
		messages_in, signals, voluntary_switches, involuntary_switches;
};

struct job {
	uint32_t id;
	bool used;
	bool program; /* else a file: done when it is read, or written and ended */
	bool fifo;
	int pid; /* 0: none, or it has ended */
	int in, out, err; /* -1: closed */
	enum end how;
	uint32_t value;
	uint64_t started, output, errors;
	struct usage usage;
	uint32_t credit; /* so many bytes of output the host still takes */
	bool input_ended;
	uint32_t head, filled, owed; /* of the input; owed: consumed, and the host not told yet */
	uint8_t *input;
};

static struct job jobs[MAX_JOBS];
static uint8_t inputs[MAX_JOBS][INPUT_WINDOW];
static unsigned turn;

void jobs_init(void)
{
	for (unsigned i = 0; i < MAX_JOBS; i++)
		jobs[i].input = inputs[i];
}

static struct job *find(uint32_t id)
{
	for (unsigned i = 0; i < MAX_JOBS; i++)
		if (jobs[i].used && jobs[i].id == id)
			return &jobs[i];
	return NULL;
}

static void send_end(uint32_t id, enum end how, uint32_t value, const struct job *job)
{
	enum { FIELDS = 7, USAGE = 32 };
	uint8_t payload[USAGE + 8 * FIELDS];
	put32(payload, how);
	put32(payload + 4, value);
	put64(payload + 8, job ? monotonic_ns() - job->started : 0);
	put64(payload + 16, job ? job->output : 0);
	put64(payload + 24, job ? job->errors : 0);
	static const struct usage none;
	const struct usage *usage = job ? &job->usage : &none;
	const uint64_t fields[FIELDS] = {usage->user.s * 1000000 + usage->user.us,
					 usage->system.s * 1000000 + usage->system.us,
					 usage->max_resident,
					 usage->minor_faults,
					 usage->major_faults,
					 usage->voluntary_switches,
					 usage->involuntary_switches};
	for (unsigned i = 0; i < FIELDS; i++)
		put64(payload + USAGE + 8 * i, fields[i]);
	link_send(FRAME_END, id, payload, sizeof payload);
}

void job_end(uint32_t id, enum end how, uint32_t value)
{
	send_end(id, how, value, NULL);
}

static void close_one(int *fd)
{
	sys_close(*fd);
	*fd = -1;
}

static void end_file(struct job *job, long error)
{
	job->how = END_ERROR;
	job->value = (uint32_t)-error;
	close_one(&job->in);
	close_one(&job->out);
}

static long open_read(struct job *job, const char *records, size_t length)
{
	const char *path = record_find(records, length, "path=");
	if (!path)
		return -EINVAL;
	job->fifo = record_find(records, length, "fifo=1") != NULL;
	if (job->fifo) {
		long error = SYS4(__NR_mknodat, AT_FDCWD, path, TYPE_FIFO | 0600, 0);
		if (error && error != -EEXIST)
			return error;
	}
	return sys_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
}

static long open_write(const char *records, size_t length)
{
	const char *path = record_find(records, length, "path=");
	const char *mode = record_find(records, length, "mode=");
	if (!path)
		return -EINVAL;
	/* Of a named pipe whose reader is slow, or not there, nobody else must have to wait. */
	return sys_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
			mode ? (int)text_number(mode, 8) & 07777 : 0644);
}

static void start(const struct frame *frame)
{
	const char *records = (const char *)frame->payload;
	size_t length = frame->length;
	struct job *job = NULL;
	for (unsigned i = 0; i < MAX_JOBS && !job; i++)
		job = jobs[i].used ? NULL : &jobs[i];
	long result = -EAGAIN;
	if (job) {
		*job = (struct job){.id = frame->job, .in = -1, .out = -1, .err = -1, .how = END_DONE,
				    .started = monotonic_ns(), .input = job->input};
		struct program program;
		if (frame->type == FRAME_EXEC) {
			result = program_start(&program, records, length);
			if (result == 0) {
				job->program = true;
				job->pid = program.pid;
				job->in = program.in;
				job->out = program.out;
				job->err = program.err;
			}
		} else if (frame->type == FRAME_READ) {
			result = job->out = (int)open_read(job, records, length);
		} else {
			result = job->in = (int)open_write(records, length);
		}
	}
	if (result < 0)
		job_end(frame->job, END_ERROR, (uint32_t)-result);
	else
		job->used = true;
}

static bool add_input(struct job *job, const struct frame *frame)
{
	if (frame->length == 0) {
		job->input_ended = true;
		return true;
	}
	if (frame->length > INPUT_WINDOW - job->filled - job->owed || job->input_ended)
		return false;
	/* What nobody can read any more is passed over, and told as consumed. */
	if (job->in < 0) {
		job->owed += frame->length;
		return true;
	}
	for (uint32_t done = 0; done < frame->length;) {
		uint32_t at = (job->head + job->filled) % INPUT_WINDOW;
		uint32_t part = frame->length - done < INPUT_WINDOW - at ? frame->length - done : INPUT_WINDOW - at;
		memcpy(job->input + at, frame->payload + done, part);
		job->filled += part;
		done += part;
	}
	return true;
}

bool jobs_frame(const struct frame *frame)
{
	struct job *job = find(frame->job);
	switch (frame->type) {
	case FRAME_EXEC:
	case FRAME_READ:
	case FRAME_WRITE:
		if (job || !frame->length || frame->payload[frame->length - 1])
			return false;
		start(frame);
		return true;
	/* A job may have ended while these were under way. */
	case FRAME_INPUT:
		return !job || add_input(job, frame);
	case FRAME_CREDIT:
		if (frame->length != 4)
			return false;
		if (job) {
			uint32_t more = get32(frame->payload);
			job->credit = more > ~0u - job->credit ? ~0u : job->credit + more;
		}
		return true;
	case FRAME_KILL:
		if (frame->length != 4)
			return false;
		if (job && job->pid > 1)
			SYS2(__NR_kill, -job->pid, get32(frame->payload) & 127);
		else if (job && !job->program)
			end_file(job, -ECANCELED);
		return true;
	default:
		return false;
	}
}

static void release(struct job *job)
{
	close_one(&job->in);
	close_one(&job->out);
	close_one(&job->err);
	job->used = false;
}

void jobs_abandon(void)
{
	for (unsigned i = 0; i < MAX_JOBS; i++) {
		struct job *job = &jobs[i];
		if (!job->used)
			continue;
		if (job->pid > 1)
			SYS2(__NR_kill, -job->pid, SIGKILL);
		release(job);
	}
}

void jobs_reap(void)
{
	int status;
	long pid;
	struct usage usage;
	while ((pid = SYS4(__NR_wait4, -1, &status, WAIT_NOHANG, &usage)) > 0) {
		for (unsigned i = 0; i < MAX_JOBS; i++) {
			struct job *job = &jobs[i];
			if (!job->used || job->pid != (int)pid)
				continue;
			job->pid = 0;
			job->usage = usage;
			job->how = status & 127 ? END_SIGNAL : END_EXIT;
			job->value = (uint32_t)(status & 127 ? status & 127 : status >> 8 & 255);
		}
	}
}

static bool ended(const struct job *job)
{
	return job->program && job->pid == 0;
}

static bool is_done(const struct job *job)
{
	return job->out < 0 && job->err < 0 && (job->program ? job->pid == 0 : job->in < 0);
}

bool jobs_poll(struct pollfd *fds, unsigned *count)
{
	bool busy = false;
	bool idle = link_idle(), room = link_room();
	for (unsigned i = 0; i < MAX_JOBS; i++) {
		const struct job *job = &jobs[i];
		if (!job->used)
			continue;
		bool takes = idle && job->credit > 0;
		/* Something else may still hold the pipes of a program that has ended: what is in them is all there is. */
		busy |= ended(job) && takes;
		busy |= is_done(job) && room;
		busy |= job->input_ended && job->in >= 0 && !job->filled;
		busy |= job->owed >= INPUT_WINDOW / 4 && room;
		/* Not without something to write: a pipe that nobody reads is always ready. */
		if (job->in >= 0 && job->filled)
			fds[(*count)++] = (struct pollfd){job->in, POLLOUT, 0};
		if (job->out >= 0 && takes)
			fds[(*count)++] = (struct pollfd){job->out, POLLIN, 0};
		if (job->err >= 0 && takes)
			fds[(*count)++] = (struct pollfd){job->err, POLLIN, 0};
	}
	return busy;
}

static bool is_ready(const struct pollfd *fds, unsigned count, int fd)
{
	for (unsigned i = 0; i < count; i++)
		if (fds[i].fd == fd && fds[i].revents)
			return true;
	return false;
}

static void give_input(struct job *job)
{
	while (job->in >= 0 && job->filled) {
		uint32_t part = job->filled < INPUT_WINDOW - job->head ? job->filled : INPUT_WINDOW - job->head;
		long written = sys_write(job->in, job->input + job->head, part);
		if (written == -EINTR)
			continue;
		if (written == -EAGAIN)
			break;
		if (written < 0) {
			/* A program that reads no more is no error; a full disk is. */
			job->owed += job->filled;
			job->filled = 0;
			if (job->program)
				close_one(&job->in);
			else
				end_file(job, written);
			break;
		}
		job->head = (job->head + (uint32_t)written) % INPUT_WINDOW;
		job->filled -= (uint32_t)written;
		job->owed += (uint32_t)written;
		if (!job->program)
			job->output += (uint64_t)written;
	}
	if (job->input_ended && !job->filled && job->in >= 0)
		close_one(&job->in);
	if (job->owed >= INPUT_WINDOW / 4 && link_room()) {
		uint8_t payload[4];
		put32(payload, job->owed);
		job->owed = 0;
		link_send(FRAME_CREDIT, job->id, payload, sizeof payload);
	}
}

static void take_output(struct job *job, int *fd, enum frame_type type, bool ready)
{
	if (*fd < 0 || !job->credit || !link_idle() || !(ready || ended(job)))
		return;
	size_t most = link_share() < job->credit ? link_share() : job->credit;
	long got;
	do
		got = sys_read(*fd, link_payload(), most);
	while (got == -EINTR);
	if (got > 0) {
		job->credit -= (uint32_t)got;
		*(type == FRAME_OUTPUT ? &job->output : &job->errors) += (uint64_t)got;
		link_commit(type, job->id, (size_t)got);
	} else if (got == 0 || (got == -EAGAIN && ended(job))) {
		close_one(fd);
	} else if (got != -EAGAIN) {
		if (job->program)
			close_one(fd);
		else
			end_file(job, got);
	}
}

static void work(struct job *job, const struct pollfd *fds, unsigned count)
{
	if (ended(job) && job->in >= 0)
		close_one(&job->in);
	give_input(job);
	/* Errors first: they are few, and output may be without end. */
	take_output(job, &job->err, FRAME_ERRORS, is_ready(fds, count, job->err));
	take_output(job, &job->out, FRAME_OUTPUT, is_ready(fds, count, job->out));
	if (is_done(job) && link_room()) {
		send_end(job->id, job->how, job->value, job);
		release(job);
	}
}

void jobs_work(const struct pollfd *fds, unsigned count)
{
	for (unsigned i = 0; i < MAX_JOBS; i++) {
		struct job *job = &jobs[(turn + i) % MAX_JOBS];
		if (job->used)
			work(job, fds, count);
	}
	turn++;
}
