/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "yamlwriter.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

struct yamlwriter {
	yaml_emitter_t emitter;
	FILE *out;
	int code; /* the first failure's errno; 0: none */
};

static int write_bytes(void *data, unsigned char *bytes, size_t n)
{
	struct yamlwriter *w = data;

	return fwrite(bytes, 1, n, w->out) == n;
}

/* Writes an event, if it could be made and all before it have been written. */
static void emit(struct yamlwriter *w, int made, yaml_event_t *event)
{
	if (w->code != 0) {
		if (made)
			yaml_event_delete(event);
	} else if (!made) {
		w->code = errno == ENOMEM ? ENOMEM : EINVAL; /* libyaml does not say which */
	} else if (!yaml_emitter_emit(&w->emitter, event)) {
		w->code = w->emitter.error == YAML_WRITER_ERROR   ? EIO
			  : w->emitter.error == YAML_MEMORY_ERROR ? ENOMEM
								  : EINVAL;
	}
}

struct yamlwriter *yamlwriter_new(FILE *out)
{
	struct yamlwriter *w = calloc(1, sizeof(*w));
	yaml_event_t event;

	if (!w || !yaml_emitter_initialize(&w->emitter)) {
		free(w);
		return NULL;
	}
	w->out = out;
	yaml_emitter_set_output(&w->emitter, write_bytes, w);
	yaml_emitter_set_width(&w->emitter, -1); /* no line is broken */
	emit(w, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING), &event);
	emit(w, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1), &event);
	return w;
}

void yamlwriter_free(struct yamlwriter *w)
{
	if (!w)
		return;
	yaml_emitter_delete(&w->emitter);
	free(w);
}

void yamlwriter_freep(struct yamlwriter **w)
{
	yamlwriter_free(*w);
}

static void put_scalar(struct yamlwriter *w, const char *text, yaml_scalar_style_t style)
{
	yaml_event_t event;

	errno = 0;
	emit(w,
	     yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text, (int)strlen(text), 1,
					  1, style),
	     &event);
}

static void put_key(struct yamlwriter *w, const char *key)
{
	if (key)
		put_scalar(w, key, YAML_ANY_SCALAR_STYLE);
}

void yamlwriter_begin_mapping(struct yamlwriter *w, const char *key, enum yamlwriter_style style)
{
	yaml_event_t event;

	put_key(w, key);
	emit(w,
	     yaml_mapping_start_event_initialize(&event, NULL, NULL, 1,
						 style == YAMLWRITER_LINE ? YAML_FLOW_MAPPING_STYLE
									  : YAML_BLOCK_MAPPING_STYLE),
	     &event);
}

void yamlwriter_end_mapping(struct yamlwriter *w)
{
	yaml_event_t event;

	emit(w, yaml_mapping_end_event_initialize(&event), &event);
}

void yamlwriter_begin_list(struct yamlwriter *w, const char *key, enum yamlwriter_style style)
{
	yaml_event_t event;

	put_key(w, key);
	emit(w,
	     yaml_sequence_start_event_initialize(&event, NULL, NULL, 1,
						  style == YAMLWRITER_LINE ? YAML_FLOW_SEQUENCE_STYLE
									   : YAML_BLOCK_SEQUENCE_STYLE),
	     &event);
}

void yamlwriter_end_list(struct yamlwriter *w)
{
	yaml_event_t event;

	emit(w, yaml_sequence_end_event_initialize(&event), &event);
}

/*
 * Could a reader of YAML 1.1 or 1.2 take it for a number, a time, a truth or
 * nothing? Endpoints and versions have more points than any number.
 */
static bool is_ambiguous(const char *text)
{
	static const char *const words[] = { "y", "yes", "n", "no", "on", "off", "true", "false", "null" };
	const char *point = strchr(text, '.');

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcasecmp(text, words[i]) == 0)
			return true;
	if (text[0] == '\0' || strchr("~.=<", text[0]))
		return true;
	return strchr("0123456789+-", text[0]) && !(point && strchr(point + 1, '.')) &&
	       text[strspn(text, "0123456789abcdefABCDEFxXoO_.:+-tTzZ")] == '\0';
}

void yamlwriter_text(struct yamlwriter *w, const char *key, const char *text)
{
	put_key(w, key);
	put_scalar(w, text, is_ambiguous(text) ? YAML_SINGLE_QUOTED_SCALAR_STYLE : YAML_ANY_SCALAR_STYLE);
}

void yamlwriter_uint(struct yamlwriter *w, const char *key, uint64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, n);
	put_key(w, key);
	put_scalar(w, text, YAML_PLAIN_SCALAR_STYLE);
}

int yamlwriter_end(struct err *e, struct yamlwriter *w)
{
	yaml_event_t event;

	emit(w, yaml_document_end_event_initialize(&event, 1), &event);
	emit(w, yaml_stream_end_event_initialize(&event), &event);
	if (w->code == 0 && (fflush(w->out) != 0 || ferror(w->out)))
		w->code = EIO;
	if (w->code == EINVAL)
		return err_set(e, EINVAL, "cannot write YAML: a text is not UTF-8");
	return w->code == 0 ? 0 : err_sys(e, w->code, "cannot write YAML");
}
